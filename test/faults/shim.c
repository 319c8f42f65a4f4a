/*
 * Stands between a process and its disk (LD_PRELOAD): tells of every change that it makes below a folder, in order, and makes
 * calls fail when it is told to. Built and read by shim.ts.
 *
 *   SHIM_FOLDER   only paths that begin with this are looked at
 *   SHIM_TRACE    where changes are told: one record each, native byte order (see struct head), then path and data
 *   SHIM_CONTROL  a file read before each call: "KIND PATH ERRNO NTH TIMES"; the NTH call of the kind whose path has PATH in it
 *                 fails, and TIMES - 1 after it (0: all after it). PATH "*" is any. ERRNO 0 on a write: half is written.
 *                 Counting begins anew when the text changes. An empty file: nothing fails.
 *
 * Calls are told after they succeeded, under one lock, so the order told is the order done.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
enum { WRITE = 1, TRUNCATE, SYNC, CREATE, RENAME, UNLINK, MKDIR };
static const char *const KINDS[] = {"open", "write", "truncate", "sync", "open", "rename", "unlink", "mkdir"};
enum { OPEN = 0 };

struct __attribute__((packed)) head {
  uint8_t what;
  uint16_t path_length;
  uint32_t data_length;
  uint64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[FDS];
static int trace = -1;
static const char *folder, *control;
static char rule[512];
static long seen;

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  folder = getenv("SHIM_FOLDER");
  control = getenv("SHIM_CONTROL");
  const char *path = getenv("SHIM_TRACE");
  if (path) trace = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) { return folder && path && strncmp(path, folder, strlen(folder)) == 0; }
static const char *path_of(int fd) { return fd >= 0 && fd < FDS ? paths[fd] : NULL; }

static void put_all(const void *bytes, size_t length) {
  for (const char *at = bytes; length > 0;) {
    long written = syscall(SYS_write, trace, at, length);
    if (written < 0) abort();
    at += written;
    length -= written;
  }
}

static void tell(int what, const char *path, uint64_t offset, const void *data, size_t length) {
  if (trace < 0) return;
  struct head head = {what, strlen(path), length, offset};
  put_all(&head, sizeof head);
  put_all(path, head.path_length);
  put_all(data, length);
}

/* The error that a call is to fail with, or -1. */
static int fault(int what, const char *path) {
  if (!control) return -1;
  char text[sizeof rule] = "", kind[16], part[256];
  int fd = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0), number;
  long nth, times;
  if (fd >= 0) {
    if (syscall(SYS_read, fd, text, sizeof text - 1) < 0) text[0] = 0;
    syscall(SYS_close, fd);
  }
  if (strcmp(text, rule) != 0) {
    strcpy(rule, text);
    seen = 0;
  }
  if (sscanf(rule, "%15s %255s %d %ld %ld", kind, part, &number, &nth, &times) != 5) return -1;
  if (strcmp(kind, KINDS[what]) != 0 || (strcmp(part, "*") != 0 && !strstr(path, part))) return -1;
  seen += 1;
  return seen >= nth && (times == 0 || seen < nth + times) ? number : -1;
}

/* Leaves the call with the error that it is to fail with; the lock is held. */
#define FAIL(what, path) \
  do { \
    int number = fault(what, path); \
    if (number > 0) { \
      pthread_mutex_unlock(&lock); \
      errno = number; \
      return -1; \
    } \
  } while (0)

#define DONE(result) \
  do { \
    int kept = errno; \
    pthread_mutex_unlock(&lock); \
    errno = kept; \
    return result; \
  } while (0)

static ssize_t write_at(int fd, const char *path, const void *data, size_t length, int64_t at) {
  pthread_mutex_lock(&lock);
  int number = fault(WRITE, path);
  if (number > 0) {
    pthread_mutex_unlock(&lock);
    errno = number;
    return -1;
  }
  if (number == 0 && length > 1) length /= 2;
  int64_t offset = at;
  if (at < 0) offset = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
  ssize_t written = at < 0 ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, at);
  if (written > 0) tell(WRITE, path, offset, data, written);
  DONE(written);
}

ssize_t write(int fd, const void *data, size_t length) {
  const char *path = path_of(fd);
  return path ? write_at(fd, path, data, length, -1) : syscall(SYS_write, fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  const char *path = path_of(fd);
  return path ? write_at(fd, path, data, length, at) : syscall(SYS_pwrite64, fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

/* One buffer is as good as many: a write may be short. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return path_of(fd) && count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
  return path_of(fd) && count > 0 ? pwrite64(fd, parts[0].iov_base, parts[0].iov_len, at) : real(fd, parts, count, at);
}

int ftruncate64(int fd, off64_t length) {
  const char *path = path_of(fd);
  if (!path) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  FAIL(TRUNCATE, path);
  int result = syscall(SYS_ftruncate, fd, length);
  if (result == 0) tell(TRUNCATE, path, length, NULL, 0);
  DONE(result);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_by(long number, int fd) {
  const char *path = path_of(fd);
  if (!path) return syscall(number, fd);
  pthread_mutex_lock(&lock);
  FAIL(SYNC, path);
  int result = syscall(number, fd);
  if (result == 0) tell(SYNC, path, 0, NULL, 0);
  DONE(result);
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }

static int open_at(int at, const char *path, int flags, mode_t mode) {
  if (!ours(path)) return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  FAIL(OPEN, path);
  struct stat found;
  int is_new = (flags & O_CREAT) && fstatat(AT_FDCWD, path, &found, 0) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  if (fd >= 0 && fd < FDS) {
    free(paths[fd]);
    paths[fd] = strdup(path);
    if (is_new) tell(CREATE, path, 0, NULL, 0);
    else if (flags & O_TRUNC) tell(TRUNCATE, path, 0, NULL, 0);
  }
  DONE(fd);
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
  MODE_OF(flags)
  return open_at(at, path, flags, mode);
}

int close(int fd) {
  if (!path_of(fd)) return syscall(SYS_close, fd);
  pthread_mutex_lock(&lock);
  free(paths[fd]);
  paths[fd] = NULL;
  int result = syscall(SYS_close, fd);
  DONE(result);
}

int rename(const char *from, const char *to) {
  if (!ours(from)) return syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
  pthread_mutex_lock(&lock);
  FAIL(RENAME, to);
  int result = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
  if (result == 0) tell(RENAME, from, 0, to, strlen(to));
  DONE(result);
}

int unlink(const char *path) {
  if (!ours(path)) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  FAIL(UNLINK, path);
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (result == 0) tell(UNLINK, path, 0, NULL, 0);
  DONE(result);
}

int mkdir(const char *path, mode_t mode) {
  if (!ours(path)) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  pthread_mutex_lock(&lock);
  FAIL(MKDIR, path);
  int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (result == 0) tell(MKDIR, path, 0, NULL, 0);
  DONE(result);
}
