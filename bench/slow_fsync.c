/* A disk that takes two seconds to write: fsync(2) and fdatasync(2) of the process that preloads this library wait. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

typedef int (*sync_function)(int);

static int after_a_pause(const char *name, int file) {
    struct timespec pause = {.tv_sec = 2};
    nanosleep(&pause, NULL);
    return ((sync_function)dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return after_a_pause("fsync", file); }

int fdatasync(int file) { return after_a_pause("fdatasync", file); }
