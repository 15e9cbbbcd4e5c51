# The flags of the compilers that this is built with, in three ways:
#
#     Microsoft's cl      /arch names instruction sets; its intrinsics up to SSE4.2 and BMI need no flag
#     clang-cl            clang's flags for instruction sets, Microsoft's for the rest
#     gcc, clang          and all that takes their flags
#
# Sets tier_flags_<tier>, flags_fastest, flags_fast, flags_small, flags_cython, flags_warnings and flags_no_vectors.

set(tiers scalar ssse3 avx2 avx512vbmi neon)
foreach(tier IN LISTS tiers)
    set(tier_flags_${tier} "")
endforeach()

# The compiler is asked, because CMAKE_SYSTEM_PROCESSOR may name the machine that builds.
list(LENGTH CMAKE_OSX_ARCHITECTURES architectures)
if(architectures GREATER 1)
    message(FATAL_ERROR "one architecture a build: the flags of the tiers are those of one. Make a wheel for each.")
endif()
include(CheckCSourceCompiles)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
check_c_source_compiles("
#include \"${CMAKE_CURRENT_LIST_DIR}/../src/portable/compiler.h\"
#ifndef PORTABLE_X86_64
#error
#endif
int x86_64;" TARGET_IS_X86_64)
check_c_source_compiles("
#include \"${CMAKE_CURRENT_LIST_DIR}/../src/portable/compiler.h\"
#if !defined(PORTABLE_AARCH64) || PORTABLE_BIG_ENDIAN
#error
#endif
int aarch64;" TARGET_HAS_NEON)
unset(CMAKE_TRY_COMPILE_TARGET_TYPE)

if(MSVC AND CMAKE_C_COMPILER_ID STREQUAL "MSVC")
    if(TARGET_IS_X86_64)
        set(tier_flags_avx2 /arch:AVX2)
        set(tier_flags_avx512vbmi /arch:AVX512)
    endif()
    set(flags_fastest /O2)
    set(flags_fast /O2)
    set(flags_small /O1)
    set(flags_warnings /W3)
    set(flags_no_vectors "")
else()
    if(TARGET_IS_X86_64)
        set(tier_flags_ssse3 -mssse3)
        set(tier_flags_avx2 -mavx2 -mbmi -mbmi2 -mpopcnt)
        set(tier_flags_avx512vbmi -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mbmi -mbmi2 -mpopcnt)
    endif()
    if(MSVC) # clang-cl, to which -Wall is all that clang can say
        set(flags_fastest /clang:-O3)
        set(flags_fast /O2)
        set(flags_small /O1)
        set(flags_warnings /W4)
        set(flags_no_vectors /clang:-fno-vectorize)
    else()
        set(flags_fastest -O3)
        set(flags_fast -O2)
        set(flags_small -Os)
        set(flags_warnings -Wall -Wextra)
        set(flags_no_vectors -fno-tree-vectorize)
        if(TARGET_IS_X86_64 OR TARGET_HAS_NEON)
            # Such a machine runs another tier, unless its x86 CPU is older than 2006. Saves 16 kB of a wheel, for up to a tenth
            # more instructions in the scalar tier.
            set(tier_flags_scalar ${flags_small})
        endif()
    endif()
endif()

set(flags_cython ${flags_fastest})
if(NOT MSVC)
    # gcc compiles unlikely code for size only if it is told that such code is never expected; clang does so by itself, and does
    # not know the flag.
    include(CheckCCompilerFlag)
    check_c_compiler_flag(--param=builtin-expect-probability=100 COMPILER_KNOWS_EXPECTATION)
    if(COMPILER_KNOWS_EXPECTATION)
        list(APPEND flags_cython --param=builtin-expect-probability=100)
    endif()
endif()
