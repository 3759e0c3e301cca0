/* Calls that change files and fail as they are told: a library that a test program is started with
 * (LD_PRELOAD), so that its own files meet EIO and ENOSPC at any call.
 *
 * It is told what to do by names of files that do not exist:
 *   unlink   "/faulty/<errno>/<lasting>/<nth>/<prefix>"  the nth call from now on that changes a
 *            file below <prefix> fails, and if <lasting> is 1 every one after it; 2: the nth is
 *            only half done, and every one after it fails.
 *   readlink "/faulty/<prefix>"  ends it and gives the first call that failed; ENOENT if none did.
 * Several prefixes may wait at a time: walks of several threads have directories of their own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define COMMANDS "/faulty/"
#define WALKS 16

struct fault {
    char prefix[PATH_MAX];
    int error, lasting;
    long left;
    char struck[PATH_MAX + 32];
};

static struct fault faults[WALKS];
static volatile int armed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ({ \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    real; })

enum fate { PASS, FAIL, HALF };

/* What becomes of a call on a path. A disk that is full still syncs and still forgets names. */
static enum fate fate(const char *call, const char *path, int needs_room) {
    enum fate fate = PASS;
    if (!armed || !path) return PASS;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < WALKS; i++) {
        struct fault *f = &faults[i];
        size_t length = strlen(f->prefix);
        if (!f->error || strncmp(path, f->prefix, length)) continue;
        if (f->error == ENOSPC && !needs_room) continue;
        f->left--;
        if (f->left > 0 || (f->left < 0 && !f->lasting)) continue;
        if (!f->struck[0])
            snprintf(f->struck, sizeof f->struck, "%s %s", call, path + length);
        fate = f->left == 0 && f->lasting == 2 ? HALF : FAIL;
        errno = f->error;
    }
    pthread_mutex_unlock(&lock);
    return fate;
}

static enum fate fate_of(const char *call, int fd, int needs_room) {
    char link[64], path[PATH_MAX];
    if (!armed) return PASS;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = REAL(readlink)(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return PASS;
    path[length] = 0;
    return fate(call, path, needs_room);
}

static int arm(const char *what) {
    int error, lasting, at = 0;
    long nth;
    if (sscanf(what, "%d/%d/%ld/%n", &error, &lasting, &nth, &at) < 3 || !at) return ENOENT;
    int done = EAGAIN;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < WALKS && done; i++) {
        struct fault *f = &faults[i];
        if (f->error) continue;
        snprintf(f->prefix, sizeof f->prefix, "%s", what + at);
        f->lasting = lasting;
        f->left = nth;
        f->struck[0] = 0;
        f->error = error;
        armed++;
        done = 0;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t disarm(const char *prefix, char *into, size_t size) {
    ssize_t length = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < WALKS; i++) {
        struct fault *f = &faults[i];
        if (!f->error || strcmp(f->prefix, prefix)) continue;
        length = (ssize_t)strnlen(f->struck, size);
        memcpy(into, f->struck, (size_t)length);
        f->error = 0;
        armed--;
    }
    pthread_mutex_unlock(&lock);
    if (length > 0) return length;
    errno = ENOENT;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    switch (fate_of("write", fd, 1)) {
    case FAIL: return -1;
    case HALF: return REAL(write)(fd, bytes, size / 2);
    default: return REAL(write)(fd, bytes, size);
    }
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    switch (fate_of("pwrite", fd, 1)) {
    case FAIL: return -1;
    case HALF: return REAL(pwrite64)(fd, bytes, size / 2, at);
    default: return REAL(pwrite64)(fd, bytes, size, at);
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    switch (fate_of("writev", fd, 1)) {
    case FAIL: return -1;
    case HALF: return REAL(writev)(fd, parts, count > 1 ? count / 2 : count);
    default: return REAL(writev)(fd, parts, count);
    }
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t size) {
    if (fate_of("sendfile", out, 1) != PASS) return -1;
    return REAL(sendfile64)(out, in, at, size);
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    if (fate_of("copy_file_range", out, 1) != PASS) return -1;
    return REAL(copy_file_range)(in, from, out, to, size, flags);
}

int ftruncate64(int fd, off64_t size) {
    if (fate_of("ftruncate", fd, 1) != PASS) return -1;
    return REAL(ftruncate64)(fd, size);
}

int fsync(int fd) {
    return fate_of("fsync", fd, 0) != PASS ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd) {
    return fate_of("fdatasync", fd, 0) != PASS ? -1 : REAL(fdatasync)(fd);
}

static int is_new(const char *path) {
    struct stat known;
    return lstat(path, &known) != 0;
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest); \
        if (armed && flags & O_CREAT && is_new(path) && fate("create", path, 1) != PASS) \
            return -1; \
        return REAL(name)(path, flags, mode); \
    }

OPENS(open)
OPENS(open64)

int rename(const char *from, const char *to) {
    if (armed && fate("rename", to, 1) != PASS) return -1;
    return REAL(rename)(from, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    if (armed && fate("linkat", to, 1) != PASS) return -1;
    return REAL(linkat)(from_dir, from, to_dir, to, flags);
}

int mkdir(const char *path, mode_t mode) {
    if (armed && fate("mkdir", path, 1) != PASS) return -1;
    return REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    if (!strncmp(path, COMMANDS, strlen(COMMANDS))) {
        errno = arm(path + strlen(COMMANDS));
        return errno ? -1 : 0;
    }
    if (armed && fate("unlink", path, 0) != PASS) return -1;
    return REAL(unlink)(path);
}

ssize_t readlink(const char *path, char *into, size_t size) {
    if (!strncmp(path, COMMANDS, strlen(COMMANDS)))
        return disarm(path + strlen(COMMANDS), into, size);
    return REAL(readlink)(path, into, size);
}
