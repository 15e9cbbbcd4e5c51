/* What the C tests need of the operating system, for POSIX and for Windows: pages that fault, threads, the files of a folder. */
#ifndef REALTIME_PCM_TESTS_SYSTEM_H
#define REALTIME_PCM_TESTS_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t page_size(void);
/* Whole pages that may be neither read nor written; NULL where there are none. They stay until the process ends. */
uint8_t *closed_pages(size_t bytes);
/* Lets some of them be read and written. */
bool open_pages(uint8_t *first, size_t bytes);

typedef struct thread thread;
typedef void thread_body(void *given);
thread *start_thread(thread_body *body, void *given);
/* Waits for its end, and frees it. */
void join_thread(thread *t);

typedef struct lock lock;
lock *new_lock(void);
void take_lock(lock *l);
void release_lock(lock *l);
/* Frees a lock that nobody has. */
void free_lock(lock *l);

/* Sleeps about so long. Windows sleeps whole milliseconds; less than one lets other threads run. */
void sleep_nanoseconds(uint64_t nanoseconds);

/* Calls `found` with the path of each file of a folder; names that begin with a dot are left out. false: no such folder. */
bool each_file(const char *folder, void (*found)(const char *path));

#endif
