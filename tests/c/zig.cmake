# Cross-compiles with the clang that the package ziglang brings, and its headers and C libraries of other systems:
#
#     cmake -S tests/c -B <build> -DCMAKE_TOOLCHAIN_FILE=tests/c/zig.cmake -DZIG_TARGET=x86_64-windows-gnu
#
# ZIG is `python-zig`, which the package installs. What is built for another machine runs by -DZIG_EMULATOR=<program>.
set(ZIG python-zig CACHE STRING "the compiler of the package ziglang")
set(ZIG_TARGET x86_64-linux-musl CACHE STRING "machine-system-C library")
set(ZIG_EMULATOR "" CACHE STRING "what runs the tests")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG ZIG_TARGET)

string(REPLACE "-" ";" target_parts ${ZIG_TARGET})
list(GET target_parts 0 CMAKE_SYSTEM_PROCESSOR)
list(GET target_parts 1 target_system)
if(target_system STREQUAL "windows")
    set(CMAKE_SYSTEM_NAME Windows)
elseif(target_system STREQUAL "macos")
    set(CMAKE_SYSTEM_NAME Darwin)
    set(CMAKE_OSX_SYSROOT "" CACHE STRING "zig has its own")
    set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "zig's target says it")
else()
    set(CMAKE_SYSTEM_NAME Linux)
endif()

find_program(ZIG_PROGRAM ${ZIG} REQUIRED)
set(CMAKE_C_COMPILER ${ZIG_PROGRAM} cc -target ${ZIG_TARGET})
set(CMAKE_C_COMPILER_TARGET ${ZIG_TARGET})
# CMAKE_AR can have no arguments.
set(CMAKE_C_ARCHIVE_CREATE "${ZIG_PROGRAM} ar qc <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_APPEND "${ZIG_PROGRAM} ar q <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_FINISH "")
if(ZIG_EMULATOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${ZIG_EMULATOR})
endif()
