/* A load generator that keeps its schedule: requests are due at random (Poisson) times whatever the server does, and a
 * latency counts from the moment a request was due, so that a slow answer delays no later request unseen (no
 * coordinated omission). One thread, one epoll, a core of its own, which it spins on while it keeps a schedule.
 *
 *   open_loop PORT REQUEST_FILE CONNECTIONS RATE SECONDS COUNT [PID]
 *
 * REQUEST_FILE holds the bytes of a whole HTTP/1.1 request. RATE 0: closed loop, the next request follows the answer.
 * It ends after SECONDS or COUNT requests, whichever comes first (0: no such limit). Latencies on stdout are in
 * microseconds, as JSON, by HTTP status: "due" counts from the schedule, "sent" from the first byte written. "held" is the
 * time (s) in which it, though it spins, had no processor: the machine did something else. With the PID of the server's
 * worker, its waiting for a processor (schedstat; also for its supervisor and its own threads) and this program's are
 * looked at every half millisecond, and "calm" counts, as "due" does, the requests that met no look in which one of them
 * was kept from its processor for 0.3 ms or more, nor the time after it that the backlog takes at half of the capacity:
 * as long again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STATUSES 600
#define BUFFER 65536

#define LOOK 5e-4
#define KEPT 3e-4

typedef struct { double *at; float *due, *sent; size_t count, room; } Samples;
typedef struct { double from, until; } Span;
typedef struct { int fd, busy, waits; size_t written, filled; ssize_t missing; int status; double due, sent; char buffer[BUFFER]; } Connection;

static Samples samples[STATUSES];
static char *request;
static size_t request_size;
static int port, poll_fd;
static long errors, reconnects;
static int schedstat = -1;
static Span *kept; /* when somebody was kept from its processor, and as long again */
static size_t kepts;

static double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }

static void fail(const char *what) { perror(what); exit(1); }

static double uniform(void) { /* xorshift64*, of a fixed seed: every run has the same schedule */
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
    return (double)((state * 0x2545F4914F6CDD1Du) >> 11) / 9007199254740992.0;
}

/* Seconds for which the watched process has waited for a processor. */
static double waited(void) {
    char text[96];
    ssize_t n = pread(schedstat, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = 0;
    char *second = strchr(text, ' ');
    return second ? 1e-9 * strtod(second, NULL) : 0;
}

static void keep(double from, double until) {
    if (!(kepts & (kepts - 1)) && !(kept = realloc(kept, (kepts ? 2 * kepts : 1) * sizeof *kept))) fail("realloc");
    kept[kepts++] = (Span){from, until + (until - from)};
}

/* Called once a turn at `t`. The time since the last look that this program did not use, it was kept from its processor. */
static void look(double t) {
    static double looked, used, waited_then;
    if (schedstat < 0 || t - looked < LOOK) return;
    double used_now = clock_of(CLOCK_THREAD_CPUTIME_ID), waited_now = waited();
    double held = fmax(t - looked - (used_now - used), waited_now - waited_then);
    if (looked > 0 && held > KEPT) keep(t - fmax(t - looked, held), t);
    looked = t; used = used_now; waited_then = waited_now;
}

/* The latencies of the requests that met no such moment, and how many they are. */
static size_t calm(const Samples *s, float *values) {
    size_t found = 0;
    for (size_t i = 0; i < s->count; i++) {
        double due = s->at[i], answered = due + 1e-6 * s->due[i];
        size_t k = 0;
        while (k < kepts && (due > kept[k].until || answered < kept[k].from)) k++;
        if (k == kepts) values[found++] = s->due[i];
    }
    return found;
}

static void record(int status, double due, double sent, double t) {
    Samples *s = &samples[status > 0 && status < STATUSES ? status : 0];
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1 << 16;
        s->due = realloc(s->due, s->room * sizeof(float));
        s->sent = realloc(s->sent, s->room * sizeof(float));
        s->at = realloc(s->at, s->room * sizeof(double));
        if (!s->due || !s->sent || !s->at) fail("realloc");
    }
    s->at[s->count] = t - due;
    s->due[s->count] = (float)(1e6 * due);
    s->sent[s->count++] = (float)(1e6 * sent);
}

static void dial(Connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
    c->busy = c->waits = 0;
}

static void redial(Connection *c) {
    close(c->fd);
    reconnects++;
    dial(c);
}

static void wait_for(Connection *c, int writable) {
    if (c->waits == writable) return;
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
    c->waits = writable;
}

static void push(Connection *c) {
    while (c->written < request_size) {
        ssize_t n = send(c->fd, request + c->written, request_size - c->written, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) wait_for(c, 1);
            return; /* a reset is seen when reading */
        }
        c->written += (size_t)n;
    }
    wait_for(c, 0);
}

static void begin(Connection *c, double due, double at) {
    c->busy = 1; c->written = c->filled = 0; c->missing = -1; c->status = 0; c->due = due; c->sent = at;
    push(c);
}

/* The status and what is still missing of the body, once the whole header is in the buffer. */
static int header(Connection *c) {
    c->buffer[c->filled] = 0;
    char *end = strstr(c->buffer, "\r\n\r\n");
    if (!end) return c->filled < BUFFER - 1;
    c->status = atoi(c->buffer + 9);
    char *length = strcasestr(c->buffer, "\r\ncontent-length:");
    if (!length || length > end) return 0;
    c->missing = atol(length + 17) - (ssize_t)(c->filled - (size_t)(end + 4 - c->buffer));
    return 1;
}

/* 1 when the answer is complete, 0 when more is to come; a broken connection is dialled anew and counts as an error. */
static int pull(Connection *c) {
    for (;;) {
        int in_header = c->missing < 0;
        size_t at = in_header ? c->filled : 0;
        ssize_t n = recv(c->fd, c->buffer + at, BUFFER - 1 - at, 0);
        if (n < 0 && errno == EAGAIN) return 0;
        if (n <= 0) {
            if (c->busy) errors++;
            redial(c);
            return 0;
        }
        if (!c->busy) continue;
        if (in_header) {
            c->filled += (size_t)n;
            if (!header(c)) { errors++; redial(c); return 0; }
        } else {
            c->missing -= n;
        }
        if (c->missing == 0) return 1;
    }
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, float *values, size_t count) {
    double mean = 0;
    qsort(values, count, sizeof(float), ascending);
    for (size_t i = 0; i < count; i++) mean += values[i];
    printf("\"%s\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"mean\":%.1f}", name,
           values[count / 2], values[count * 9 / 10], values[count * 99 / 100], values[count * 999 / 1000],
           values[count - 1], mean / (double)count);
}

int main(int argc, char **argv) {
    if (argc != 7 && argc != 8) { fprintf(stderr, "usage: open_loop PORT REQUEST_FILE CONNECTIONS RATE SECONDS COUNT [PID]\n"); return 2; }
    if (argc == 8) {
        char name[64];
        snprintf(name, sizeof name, "/proc/%d/schedstat", atoi(argv[7]));
        schedstat = open(name, O_RDONLY); /* a kernel without it tells nothing, and then there is no "calm" */
    }
    port = atoi(argv[1]);
    int connections = atoi(argv[3]);
    double rate = atof(argv[4]), seconds = atof(argv[5]);
    long count = atol(argv[6]), sent = 0, answered = 0, busy = 0;
    FILE *file = fopen(argv[2], "rb");
    if (!file) fail(argv[2]);
    request = malloc(1 << 25);
    request_size = fread(request, 1, 1 << 25, file);
    poll_fd = epoll_create1(0);
    Connection *all = calloc((size_t)connections, sizeof *all);
    Connection **idle = calloc((size_t)connections, sizeof *idle);
    if (!all || !idle) fail("calloc");
    int idles = 0;
    for (int i = 0; i < connections; i++) { dial(&all[i]); idle[idles++] = &all[i]; }
    struct epoll_event events[256];
    double start = now(), due = start, t = start, end = seconds > 0 ? start + seconds : 1e18, held = 0;
    double used = clock_of(CLOCK_THREAD_CPUTIME_ID);
    while ((t < end && (!count || sent < count)) || (busy && t < end + 2)) {
        int open = t < end && (!count || sent < count);
        while (open && idles && (rate <= 0 || due <= t)) {
            Connection *c = idle[--idles];
            begin(c, rate > 0 ? due : t, t);
            busy++; sent++;
            if (rate > 0) due -= log(1 - uniform()) / rate;
            if (count && sent >= count) open = 0;
        }
        int n = epoll_wait(poll_fd, events, 256, rate > 0 ? 0 : 10);
        t = now();
        if (rate > 0) look(t);
        for (int i = 0; i < n; i++) {
            Connection *c = events[i].data.ptr;
            int was = c->busy;
            if ((events[i].events & EPOLLOUT) && was) push(c);
            if (!(events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) continue;
            int complete = pull(c);
            if (complete) { record(c->status, t - c->due, t - c->sent, t); c->busy = 0; answered++; }
            if (was && !c->busy) { busy--; idle[idles++] = c; }
        }
    }
    if (rate > 0) held = t - start - (clock_of(CLOCK_THREAD_CPUTIME_ID) - used);
    double took = (t < end ? t : end) - start;
    long unsent = 0;
    while (rate > 0 && due < end && seconds > 0) { unsent++; due -= log(1 - uniform()) / rate; }
    printf("{\"seconds\":%.4f,\"sent\":%ld,\"unsent\":%ld,\"answered\":%ld,\"errors\":%ld,\"reconnects\":%ld,\"held\":%.4f,\"statuses\":{", took, sent,
           unsent, answered, errors + busy, reconnects, held);
    int first = 1;
    for (int i = 0; i < STATUSES; i++) {
        if (!samples[i].count) continue;
        printf("%s\"%d\":{\"count\":%zu,", first ? "" : ",", i, samples[i].count);
        float *values = malloc(samples[i].count * sizeof *values);
        if (!values) fail("malloc");
        size_t calms = schedstat < 0 ? 0 : calm(&samples[i], values);
        if (calms) {
            printf("\"calms\":%zu,", calms);
            print("calm", values, calms);
            printf(",");
        }
        free(values);
        print("due", samples[i].due, samples[i].count);
        printf(",");
        print("sent", samples[i].sent, samples[i].count);
        printf("}");
        first = 0;
    }
    printf("}}\n");
    return 0;
}
