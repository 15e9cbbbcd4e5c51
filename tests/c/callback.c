/* A thread that is not Python's and calls a Python function every few milliseconds, as a sound card's thread does. It
 * measures the wait for the GIL and the call apart. Built as a shared library by tests/playback_callback.py. */
#define _POSIX_C_SOURCE 200809L
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define MOST 4000000

typedef struct timing {
    double late, waited,
        called; /* seconds: after the time it was due, until it had the GIL, in the call */
} timing;

static PyObject *function, *argument;
static double period;
static atomic_int over;
static timing timings[MOST];
static atomic_long count;
static pthread_t thread;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *call_again_and_again(void *unused) {
    (void)unused;
    double due = now();
    while (!atomic_load(&over) && atomic_load(&count) < MOST) {
        due += period;
        struct timespec until = {(time_t)due, (long)((due - (double)(time_t)due) * 1e9)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        double woken = now();
        PyGILState_STATE state = PyGILState_Ensure();
        double held = now();
        PyObject *result = PyObject_CallOneArg(function, argument);
        double done = now();
        if (result == NULL) PyErr_WriteUnraisable(function);
        Py_XDECREF(result);
        PyGILState_Release(state);
        timings[atomic_fetch_add(&count, 1)] = (timing){woken - due, held - woken, done - held};
        if (now() > due + period) due = now(); /* what was missed is not made up for */
    }
    return NULL;
}

void callback_start(PyObject *of, PyObject *with, double seconds) {
    function = of;
    argument = with;
    period = seconds;
    atomic_store(&over, 0);
    atomic_store(&count, 0);
    pthread_create(&thread, NULL, call_again_and_again, NULL);
}

/* Without the GIL: the thread needs it to end. */
void callback_stop(void) {
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
}

long callback_count(void) {
    return atomic_load(&count);
}
const timing *callback_timings(void) {
    return timings;
}
