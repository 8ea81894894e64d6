/* Kills the process before, or in the middle of, a change of a file. gcc -shared -fPIC -O2 -o iokill.so iokill.c -ldl
 *
 * LD_PRELOAD=iokill.so, then iokill_arm(path, at, torn, log) in the process:
 *   path: part of the name of the files that are meant
 *   at:   the change to be killed at, from 1; 0 only counts
 *   torn: a write first writes half of its bytes
 *   log:  a file that each change adds a line to, or NULL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;
static long wanted;
static int half;
static char path[4096], log_path[4096];

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_meant(const char *name) { return path[0] && name && strstr(name, path); }

static int is_open(int fd) {
    char link[64], name[4096];
    if (!path[0] || fd <= 2) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n <= 0) return 0;
    name[n] = 0;
    return is_meant(name);
}

/* Whether half of the write is to be written before the end. */
static int step(const char *what) {
    static ssize_t (*append)(int, const void *, size_t);
    static int (*opened)(const char *, int, ...);
    long n = atomic_fetch_add(&count, 1) + 1;
    if (log_path[0]) {
        if (!append) append = dlsym(RTLD_NEXT, "write");
        if (!opened) opened = dlsym(RTLD_NEXT, "open");
        int fd = opened(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        char line[64];
        int size = snprintf(line, sizeof line, "%s\n", what);
        if (fd >= 0) {
            if (append(fd, line, size) != size) die();
            close(fd);
        }
    }
    if (n != wanted) return 0;
    if (half && strstr(what, "write")) return 1;
    die();
    return 0;
}

void iokill_arm(const char *of, long at, int torn, const char *log) {
    snprintf(path, sizeof path, "%s", of);
    snprintf(log_path, sizeof log_path, "%s", log ? log : "");
    wanted = at;
    half = torn;
    atomic_store(&count, 0);
}

ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) {
    REAL(pwrite64);
    if (is_open(fd) && step("pwrite")) { if (real(fd, b, n / 2, at) >= 0) die(); die(); }
    return real(fd, b, n, at);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) {
    REAL(pwrite);
    if (is_open(fd) && step("pwrite")) { if (real(fd, b, n / 2, at) >= 0) die(); die(); }
    return real(fd, b, n, at);
}
ssize_t write(int fd, const void *b, size_t n) {
    REAL(write);
    if (is_open(fd) && step("write")) { if (real(fd, b, n / 2) >= 0) die(); die(); }
    return real(fd, b, n);
}
ssize_t sendfile(int to, int from, off_t *at, size_t n) {
    REAL(sendfile);
    if (is_open(to) && step("sendfile, a write")) { if (real(to, from, at, n / 2) >= 0) die(); die(); }
    return real(to, from, at, n);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t n) {
    REAL(sendfile64);
    if (is_open(to) && step("sendfile, a write")) { if (real(to, from, at, n / 2) >= 0) die(); die(); }
    return real(to, from, at, n);
}
int fsync(int fd) { REAL(fsync); if (is_open(fd)) step("fsync"); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); if (is_open(fd)) step("fdatasync"); return real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); if (is_open(fd)) step("ftruncate"); return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); if (is_open(fd)) step("ftruncate"); return real(fd, n); }
int fallocate(int fd, int mode, off_t at, off_t n) { REAL(fallocate); if (is_open(fd)) step("fallocate"); return real(fd, mode, at, n); }
int unlink(const char *p) { REAL(unlink); if (is_meant(p)) step("unlink"); return real(p); }
int remove(const char *p) { REAL(remove); if (is_meant(p)) step("unlink"); return real(p); }
int rename(const char *a, const char *b) { REAL(rename); if (is_meant(b)) step("rename"); return real(a, b); }
int link(const char *a, const char *b) { REAL(link); if (is_meant(b)) step("link"); return real(a, b); }

#define OPEN(name) \
    int name(const char *p, int flags, ...) { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        if ((flags & O_CREAT) && is_meant(p)) step("open"); \
        return real(p, flags, mode); \
    }
OPEN(open)
OPEN(open64)
