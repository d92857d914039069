// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A display in use, in all ways at once: one thread flips, one moves and changes
 * cursors, one makes, maps, exports, imports and destroys buffers. A session ends
 * with the device, or after a while; its file and a mapping of its stay open until
 * the end of the next one. The next finds a new device, or other outputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kms.h"

#define SLOTS		8
#define SESSION_FLIPS	150

/* A buffer that may have been exported, and come back */
struct slot {
	struct buffer buffer;
	int dmabuf;		/* or -1 */
};

struct session {
	struct display display;
	int other;		/* a second file of the device, not its master */
	struct slot slots[SLOTS];
	atomic_bool over;
};

static atomic_bool stopped, asked;
static atomic_ulong flips, lost, moves, objects, errors[256];
static unsigned long sessions, devices;
static __thread sigjmp_buf faulted;
static __thread atomic_bool touching;

static void on_stop(int signal)
{
	(void)signal;
	stopped = true;
}

static void on_ask(int signal)
{
	(void)signal;
	asked = true;
}

/* Memory of a device that is gone may be gone, too. */
static void on_fault(int signal)
{
	if (touching)
		siglongjmp(faulted, 1);
	fprintf(stderr, "signal %d\n", signal);
	_exit(1);
}

static void touch(struct buffer *buffer, int value)
{
	if (!buffer->map)
		return;
	if (!sigsetjmp(faulted, 1)) {
		touching = true;
		memset(buffer->map, value, buffer->size < 4096 ? buffer->size : 4096);
	}
	touching = false;
}

/* Errors that may occur as devices go, outputs change, masters come and signals arrive */
static bool is_expected(int error)
{
	return error == ENODEV || error == EACCES || error == EINTR || error == EBUSY;
}

/* Count the error, if it is one, and end the session. */
static void check(struct session *session, int ret)
{
	int error = ret < 0 ? -ret : 0;

	if (!error)
		return;
	errors[error & 0xff]++;
	session->over = true;
}

static int result(int ret)
{
	return ret ? -errno : 0;
}

static bool over(const struct session *session)
{
	return session->over || stopped;
}

static void *cursors(void *arg)
{
	struct session *session = arg;
	struct display *display = &session->display;

	for (unsigned int n = 0; display->count && !over(session); n++) {
		struct output *output = &display->outputs[n % display->count];
		uint32_t handle = n % 64 < 8 ? 0 : output->cursor.handle;

		if (n % 4 == 0)
			check(session, result(drmModeSetCursor(display->fd, output->crtc, handle,
							       CURSOR_SIZE, CURSOR_SIZE)));
		check(session, result(drmModeMoveCursor(display->fd, output->crtc,
							n % output->mode.hdisplay,
							n % output->mode.vdisplay)));
		moves++;
	}
	return NULL;
}

static void slot_empty(int fd, struct slot *slot)
{
	if (slot->dmabuf >= 0)
		close(slot->dmabuf);
	slot->dmabuf = -1;
	buffer_destroy(fd, &slot->buffer);
}

/* Out and in again: the same object, so the same handle */
static int slot_share(int fd, struct slot *slot)
{
	uint32_t handle;
	int ret;

	if (slot->dmabuf < 0)
		ret = drmPrimeHandleToFD(fd, slot->buffer.handle, DRM_CLOEXEC | DRM_RDWR,
					 &slot->dmabuf);
	else
		ret = drmPrimeFDToHandle(fd, slot->dmabuf, &handle);
	if (ret)
		return -errno;
	return 0;
}

static void *buffers(void *arg)
{
	struct session *session = arg;
	unsigned int seed = 1;

	while (!over(session)) {
		struct slot *slot = &session->slots[rand_r(&seed) % SLOTS];
		int ret = 0;

		if (!slot->buffer.handle)
			ret = buffer_create(session->other, &slot->buffer,
					    64 << rand_r(&seed) % 5, 64);
		else if (rand_r(&seed) % 3)
			ret = slot_share(session->other, slot);
		else
			slot_empty(session->other, slot);
		touch(&slot->buffer, seed);
		check(session, ret);
		objects++;
	}
	return NULL;
}

/* Waits for the event at the end of the flip. */
static void flipped(struct session *session)
{
	struct pollfd events = { .fd = session->display.fd, .events = POLLIN };
	char event[1024];

	if (poll(&events, 1, 1000) == 1 && events.revents & POLLIN)
		check(session, result(read(session->display.fd, event, sizeof(event)) < 0));
	else if (!over(session))
		lost++;
}

static void flip(struct session *session, unsigned int n)
{
	struct display *display = &session->display;
	struct output *output = &display->outputs[n % display->count];
	struct buffer *buffer = &output->buffers[n / display->count % 2];
	drmModeClip clip = { n % 32, n % 16, n % 32 + 32, n % 16 + 1 };

	touch(buffer, n);
	check(session, result(drmModePageFlip(display->fd, output->crtc, buffer->fb,
					      DRM_MODE_PAGE_FLIP_EVENT, NULL)));
	if (over(session))
		return;
	flipped(session);
	check(session, result(drmModeDirtyFB(display->fd, buffer->fb, &clip, 1)));
	flips++;
}

static int session_open(struct session *session)
{
	char path[32];
	int ret;

	memset(session, 0, sizeof(*session));
	for (unsigned int i = 0; i < SLOTS; i++)
		session->slots[i].dmabuf = -1;
	ret = display_open(&session->display);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", session->display.fd);
	session->other = open(path, O_RDWR | O_CLOEXEC);
	if (session->other < 0) {
		ret = -errno;
		display_close(&session->display);
		return ret;
	}
	drmSetMaster(session->display.fd);
	for (unsigned int i = 0; i < session->display.count && !ret; i++) {
		struct output *output = &session->display.outputs[i];

		ret = output_show(session->display.fd, output, -1, false);
		if (!ret)
			ret = output_cursor(session->display.fd, output, false, 0, 0);
	}
	check(session, ret);
	return 0;
}

static void session_close(struct session *session)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		touch(&session->slots[i].buffer, 0);
		slot_empty(session->other, &session->slots[i]);
	}
	close(session->other);
	display_close(&session->display);
}

/* Say once that the display is in use in each way, and how often it was so far, if asked. */
static void tell_use(void)
{
	static bool told;

	if (atomic_exchange(&asked, false)) {
		printf("now %lu\n", flips);
		fflush(stdout);
	}
	if (told || !flips || !moves || !objects)
		return;
	told = true;
	printf("used\n");
	fflush(stdout);
}

/* Two connected outputs or none: it goes on without flips then. */
static void session_run(struct session *session)
{
	pthread_t cursor, buffer;

	pthread_create(&cursor, NULL, cursors, session);
	pthread_create(&buffer, NULL, buffers, session);
	for (unsigned int n = 0; n < SESSION_FLIPS && !over(session); n++) {
		if (session->display.count)
			flip(session, n);
		else
			usleep(10000);
		tell_use();
	}
	if (session->over)
		devices++;
	session->over = true;
	pthread_join(cursor, NULL);
	pthread_join(buffer, NULL);
	drmDropMaster(session->display.fd);
	sessions++;
}

/* Returns whether there was an error that may not be. */
static bool report(void)
{
	bool bad = false;

	printf("%lu flips, %lu lost, %lu cursor moves, %lu buffer calls, ",
	       flips, lost, moves, objects);
	printf("%lu sessions, %lu of them cut short", sessions, devices);
	for (int i = 0; i < 256; i++) {
		if (errors[i])
			printf(", %lu %s", errors[i], strerrorname_np(i) ?: "errors");
		bad |= errors[i] && !is_expected(i);
	}
	printf("\n");
	if (bad)
		printf("there is an error that may not be\n");
	return bad;
}

int storm(void)
{
	static struct session all[2];
	struct session *old = NULL, *session = &all[0];

	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	signal(SIGUSR1, on_ask);
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	while (!stopped) {
		if (session_open(session)) {
			usleep(20000);
			continue;
		}
		session_run(session);
		if (old)
			session_close(old);
		old = session;
		session = session == &all[0] ? &all[1] : &all[0];
	}
	if (old)
		session_close(old);
	return report() ? -EBADE : 0;
}
