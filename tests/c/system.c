#define _GNU_SOURCE
#include "system.h"

#include "harness.h"

#define LONGEST_PATH 4096

static void path_in(const char *folder, const char *name, char path[LONGEST_PATH]) {
    CHECK(snprintf(path, LONGEST_PATH, "%s/%s", folder, name) < LONGEST_PATH, "%s: too long",
          folder);
}

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

size_t page_size(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

uint8_t *closed_pages(size_t bytes) {
    return VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
}

bool open_pages(uint8_t *first, size_t bytes) {
    DWORD before;
    return VirtualProtect(first, bytes, PAGE_READWRITE, &before) != 0;
}

struct thread {
    HANDLE handle;
    thread_body *body;
    void *given;
};

static DWORD WINAPI run_thread(void *given) {
    thread *t = given;
    t->body(t->given);
    return 0;
}

thread *start_thread(thread_body *body, void *given) {
    thread *t = exactly(sizeof *t);
    t->body = body;
    t->given = given;
    t->handle = CreateThread(NULL, 0, run_thread, t, 0, NULL);
    CHECK(t->handle != NULL, "no thread");
    return t;
}

void join_thread(thread *t) {
    CHECK(WaitForSingleObject(t->handle, INFINITE) == WAIT_OBJECT_0, "no end of a thread");
    CloseHandle(t->handle);
    free(t);
}

struct lock {
    CRITICAL_SECTION section;
};

lock *new_lock(void) {
    lock *l = exactly(sizeof *l);
    InitializeCriticalSection(&l->section);
    return l;
}

void take_lock(lock *l) {
    EnterCriticalSection(&l->section);
}

void release_lock(lock *l) {
    LeaveCriticalSection(&l->section);
}

void free_lock(lock *l) {
    DeleteCriticalSection(&l->section);
    free(l);
}

void sleep_nanoseconds(uint64_t nanoseconds) {
    Sleep((DWORD)(nanoseconds / 1000000));
}

bool each_file(const char *folder, void (*found)(const char *path)) {
    char path[LONGEST_PATH];
    WIN32_FIND_DATAA entry;
    path_in(folder, "*", path);
    HANDLE search = FindFirstFileA(path, &entry);
    if (search == INVALID_HANDLE_VALUE) return false;
    do {
        if (entry.cFileName[0] == '.') continue;
        path_in(folder, entry.cFileName, path);
        found(path);
    } while (FindNextFileA(search, &entry));
    FindClose(search);
    return true;
}

#else

#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

uint8_t *closed_pages(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool open_pages(uint8_t *first, size_t bytes) {
    return mprotect(first, bytes, PROT_READ | PROT_WRITE) == 0;
}

struct thread {
    pthread_t handle;
    thread_body *body;
    void *given;
};

static void *run_thread(void *given) {
    thread *t = given;
    t->body(t->given);
    return NULL;
}

thread *start_thread(thread_body *body, void *given) {
    thread *t = exactly(sizeof *t);
    t->body = body;
    t->given = given;
    CHECK(pthread_create(&t->handle, NULL, run_thread, t) == 0, "no thread");
    return t;
}

void join_thread(thread *t) {
    CHECK(pthread_join(t->handle, NULL) == 0, "no end of a thread");
    free(t);
}

struct lock {
    pthread_mutex_t mutex;
};

lock *new_lock(void) {
    lock *l = exactly(sizeof *l);
    CHECK(pthread_mutex_init(&l->mutex, NULL) == 0, "no lock");
    return l;
}

void take_lock(lock *l) {
    pthread_mutex_lock(&l->mutex);
}

void release_lock(lock *l) {
    pthread_mutex_unlock(&l->mutex);
}

void free_lock(lock *l) {
    CHECK(pthread_mutex_destroy(&l->mutex) == 0, "a lock that is taken");
    free(l);
}

void sleep_nanoseconds(uint64_t nanoseconds) {
    struct timespec length = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    nanosleep(&length, NULL);
}

bool each_file(const char *folder, void (*found)(const char *path)) {
    char path[LONGEST_PATH];
    DIR *directory = opendir(folder);
    if (directory == NULL) return false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        path_in(folder, entry->d_name, path);
        found(path);
    }
    closedir(directory);
    return true;
}

#endif
