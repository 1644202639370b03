/* Stands between a process and its system, by LD_PRELOAD: a clock of the wall that is off by as many seconds as the file
   CLOCK_OFFSET_FILE says at that moment, and names that nobody can resolve while there is the file NAMES_ARE_GONE; when there is
   none any more, all of them are this machine's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    const char *file = getenv("CLOCK_OFFSET_FILE");
    if (done != 0 || clock != CLOCK_REALTIME || !file)
        return done;
    char text[32] = {0};
    int open_file = open(file, O_RDONLY | O_CLOEXEC);
    if (open_file >= 0) {
        if (read(open_file, text, sizeof text - 1) > 0)
            now->tv_sec += atoll(text);
        close(open_file);
    }
    return done;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    const char *gone = getenv("NAMES_ARE_GONE");
    if (gone && access(gone, F_OK) == 0) {
        sleep(1); /* a resolver whose servers do not answer takes its time */
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    return real ? real(gone ? "127.0.0.1" : name, service, hints, found) : EAI_FAIL;
}
