/*
 * Preloaded into the engine. It moves the wall clock by the milliseconds that the file TORTURE_CLOCK holds as text, and makes
 * the disk fail as the file TORTURE_DISK says: `full` (no write succeeds), `fsync` (no fsync does), or empty.
 *
 * Only the wall clock is moved: what the engine measures by the monotonic clock goes on as it is.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Reads a file that the environment names, opened once. */
static long read_control(const char *variable, int *file, char *text, size_t size) {
  if (*file == -2) {
    const char *path = getenv(variable);
    *file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  }
  ssize_t length = *file < 0 ? 0 : pread(*file, text, size - 1, 0);
  if (length < 0) length = 0;
  text[length] = 0;
  return length;
}

static long long ahead_ms(void) {
  static int file = -2;
  char text[32];
  return read_control("TORTURE_CLOCK", &file, text, sizeof text) > 0 ? atoll(text) : 0;
}

/* What the disk does: `f` full, `s` fsync fails, 0 nothing. */
static char disk(void) {
  static int file = -2;
  char text[8];
  if (read_control("TORTURE_DISK", &file, text, sizeof text) <= 0) return 0;
  if (strncmp(text, "full", 4) == 0) return 'f';
  return strncmp(text, "fsync", 5) == 0 ? 's' : 0;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = next("clock_gettime");
  int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    long long ns = (long long)time->tv_sec * 1000000000LL + time->tv_nsec + ahead_ms() * 1000000LL;
    time->tv_sec = ns / 1000000000LL;
    time->tv_nsec = ns % 1000000000LL;
  }
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  (void)zone;
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = next("pwrite64");
  if (disk() == 'f') {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return pwrite64(fd, bytes, size, at); }

static int sync_or_fail(const char *name, int (**real)(int), int fd) {
  if (*real == NULL) *real = next(name);
  if (disk() == 's') {
    errno = EIO;
    return -1;
  }
  return (*real)(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  return sync_or_fail("fsync", &real, fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  return sync_or_fail("fdatasync", &real, fd);
}
