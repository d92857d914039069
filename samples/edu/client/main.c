// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A client of edu:
 *
 *	edu-client test		what the driver promises, as TAP
 *	edu-client busy		submits seconds of work, says "busy", and tells how it ended
 *	edu-client storm	copies and compares until SIGTERM, however often the device goes
 *	edu-client idle FILE	is the device idle? FILE is its registers in sysfs
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/sync_file.h>
#include <xf86drm.h>

#include "edu_uapi.h"

#define EDU_REGISTERS	0x100000
#define EDU_DMA_CMD	0x98
#define SIZE		(3 * 4096)
#define PART		600
#define STEP_US		100000	/* how long the device takes for a step */
#define HUGE_SIZE	0x4000000000000000ULL
#define array_size(a)	(sizeof(a) / sizeof((a)[0]))

static int failed;

static void ok(bool good, const char *what)
{
	printf("%sok edu: %s\n", good ? "" : "not ", what);
	fflush(stdout);
	failed |= !good;
}

/* 0 or an error number */
static int call(int fd, unsigned long request, void *args)
{
	return drmIoctl(fd, request, args) ? errno : 0;
}

/* The file of the device, or -1 */
static int open_device(void)
{
	char path[64];
	drmVersionPtr version;
	bool found;
	int fd, i;

	for (i = 128; i < 144; i++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		found = version && !strcmp(version->name, "edu");
		drmFreeVersion(version);
		if (found)
			return fd;
		close(fd);
	}
	return -1;
}

static int create(int fd, uint32_t kind, uint64_t size, uint32_t *handle)
{
	struct drm_edu_bo_create args = { .size = size, .kind = kind };
	int err = call(fd, DRM_IOCTL_EDU_BO_CREATE, &args);

	*handle = args.handle;
	return err;
}

static uint32_t buffer(int fd, uint64_t size)
{
	uint32_t handle;

	return create(fd, DRM_EDU_BUFFER, size, &handle) ? 0 : handle;
}

static uint32_t slot(int fd)
{
	uint32_t handle;

	return create(fd, DRM_EDU_SLOT, 0, &handle) ? 0 : handle;
}

static int mmap_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_edu_bo_mmap_offset args = { .handle = handle };
	int err = call(fd, DRM_IOCTL_EDU_BO_MMAP_OFFSET, &args);

	*offset = args.offset;
	return err;
}

static uint8_t *map(int fd, uint32_t handle, size_t size)
{
	uint64_t offset;
	void *addr;

	if (mmap_offset(fd, handle, &offset))
		return NULL;
	addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	return addr == MAP_FAILED ? NULL : addr;
}

static int fill(int fd, uint32_t handle, uint32_t value)
{
	struct drm_edu_bo_fill args = { .handle = handle, .value = value };

	return call(fd, DRM_IOCTL_EDU_BO_FILL, &args);
}

static int submit(int fd, const struct drm_edu_copy *copies, uint32_t count, uint32_t sync)
{
	struct drm_edu_submit args = {
		.copies = (uintptr_t)copies,
		.count = count,
		.out_sync = sync,
	};

	return call(fd, DRM_IOCTL_EDU_SUBMIT, &args);
}

static int copy(int fd, uint32_t src, uint64_t src_offset, uint32_t dst, uint64_t dst_offset,
		uint64_t len)
{
	struct drm_edu_copy args = {
		.src = src,
		.dst = dst,
		.src_offset = src_offset,
		.dst_offset = dst_offset,
		.len = len,
	};

	return submit(fd, &args, 1, 0);
}

static int wait_for(int fd, const uint32_t *handles, uint32_t count, uint32_t ms)
{
	struct drm_edu_wait args = {
		.handles = (uintptr_t)handles,
		.count = count,
		.timeout_ms = ms,
	};

	return call(fd, DRM_IOCTL_EDU_WAIT, &args);
}

/* There is no limit but the driver's. */
static int wait_one(int fd, uint32_t handle)
{
	return wait_for(fd, &handle, 1, 1000000);
}

static void close_handle(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	call(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

static void pattern(uint8_t *p, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		p[i] = seed + i + i / 251;
}

static bool all(const uint8_t *p, size_t size, uint8_t value)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* Two mapped buffers: the first one has a pattern, and the second one is filled with 0x5a. */
struct pair {
	uint32_t a, b;
	uint8_t *pa, *pb;
};

static bool make_pair(int fd, struct pair *pair, unsigned int seed)
{
	pair->a = buffer(fd, SIZE);
	pair->b = buffer(fd, SIZE);
	pair->pa = map(fd, pair->a, SIZE);
	pair->pb = map(fd, pair->b, SIZE);
	if (!pair->pa || !pair->pb)
		return false;
	pattern(pair->pa, SIZE, seed);
	memset(pair->pb, 0x5a, SIZE);
	return true;
}

static void end_pair(int fd, struct pair *pair)
{
	if (pair->pa)
		munmap(pair->pa, SIZE);
	if (pair->pb)
		munmap(pair->pb, SIZE);
	close_handle(fd, pair->a);
	close_handle(fd, pair->b);
}

/* Across pages, and with an offset that is no multiple of anything */
static void test_buffers(int fd)
{
	const size_t from = 3001, to = 1007, len = 5003;
	struct pair p;

	if (!make_pair(fd, &p, 1)) {
		ok(false, "buffers can be made and mapped");
		return;
	}
	ok(!copy(fd, p.a, from, p.b, to, len) && !wait_one(fd, p.b) &&
	   !memcmp(p.pa + from, p.pb + to, len), "a copy from buffer to buffer arrives");
	ok(all(p.pb, to, 0x5a) && all(p.pb + to + len, SIZE - to - len, 0x5a),
	   "nothing beside it changes");
	ok(!fill(fd, p.a, 0xa5a5a5a5) && !copy(fd, p.a, 0, p.b, 0, PART) && !wait_one(fd, p.b) &&
	   all(p.pb, PART, 0xa5), "the device sees what the CPU has filled in");
	end_pair(fd, &p);
}

/*
 * The second job reads what the first one writes, and is submitted when the first one is under way:
 * a part of its copies is done.
 */
static void test_chain(int fd)
{
	uint32_t c = buffer(fd, SIZE);
	uint8_t *pc = map(fd, c, SIZE);
	struct pair p = {};
	bool good;

	good = make_pair(fd, &p, 4) && pc && !copy(fd, p.a, 0, p.b, 0, SIZE);
	usleep(9 * STEP_US / 2);
	good = good && !copy(fd, p.b, 0, c, 0, SIZE) && !wait_one(fd, c);
	ok(good && !memcmp(p.pa, p.pb, SIZE) && !memcmp(p.pa, pc, SIZE),
	   "a job reads what the one before it writes");
	end_pair(fd, &p);
	if (pc)
		munmap(pc, SIZE);
	close_handle(fd, c);
}

static void test_slots(int fd)
{
	const size_t len = DRM_EDU_SLOT_SIZE - 9;
	uint32_t s = slot(fd), t = slot(fd), u = slot(fd), none;
	struct pair p;

	ok(s && t && u && create(fd, DRM_EDU_SLOT, 0, &none) == ENOSPC,
	   "there are as many slots as there are");
	if (!make_pair(fd, &p, 2))
		return;
	struct drm_edu_copy copies[] = {
		{ .src = p.a, .src_offset = 4000, .dst = s, .dst_offset = 5, .len = len },
		{ .src = s, .src_offset = 5, .dst = t, .dst_offset = 9, .len = len },
		{ .src = t, .src_offset = 9, .dst = p.b, .dst_offset = 70, .len = len },
	};
	ok(!submit(fd, copies, array_size(copies), 0) && !wait_one(fd, p.b) &&
	   !memcmp(p.pa + 4000, p.pb + 70, len), "from a buffer through two slots to a buffer");

	/* All of them, because anyone may get any. */
	close_handle(fd, s);
	close_handle(fd, t);
	close_handle(fd, u);
	s = slot(fd);
	t = slot(fd);
	u = slot(fd);
	memset(p.pb, 0x5a, SIZE);
	struct drm_edu_copy back[] = {
		{ .src = s, .dst = p.b, .dst_offset = 0, .len = DRM_EDU_SLOT_SIZE },
		{ .src = t, .dst = p.b, .dst_offset = 512, .len = DRM_EDU_SLOT_SIZE },
		{ .src = u, .dst = p.b, .dst_offset = 1024, .len = DRM_EDU_SLOT_SIZE },
	};
	ok(!submit(fd, back, array_size(back), 0) && !wait_one(fd, p.b) &&
	   all(p.pb, 3 * DRM_EDU_SLOT_SIZE, 0) && p.pb[3 * DRM_EDU_SLOT_SIZE] == 0x5a,
	   "a slot that was given up is cleared");
	close_handle(fd, s);
	close_handle(fd, t);
	close_handle(fd, u);
	end_pair(fd, &p);
}

static void test_errors(int fd)
{
	struct drm_edu_copy copies[DRM_EDU_MAX_COPIES + 1];
	uint32_t handles[DRM_EDU_MAX_HANDLES + 1];
	uint32_t a = buffer(fd, SIZE), b = buffer(fd, 2 * DRM_EDU_MAX_BYTES), s = slot(fd), none;
	struct drm_edu_bo_label label = { .handle = a, .name = 8 };
	uint32_t huge;
	uint64_t offset;
	int dma_buf;

	for (size_t i = 0; i < array_size(copies); i++)
		copies[i] = (struct drm_edu_copy) { .src = a, .dst = b, .len = 1 };
	for (size_t i = 0; i < array_size(handles); i++)
		handles[i] = i % 2 ? a : s;

	ok(copy(fd, 0, 0, b, 0, 1) == ENOENT && copy(fd, a, 0, 4711, 0, 1) == ENOENT,
	   "a handle that is none");
	copies[7].dst = 4711;
	ok(submit(fd, copies, 8, 0) == ENOENT && submit(fd, copies, 0, 0) == EINVAL,
	   "the last of many handles is none");
	copies[7].dst = b;
	ok(submit(fd, copies, array_size(copies), 0) == E2BIG, "too many copies");
	ok(wait_for(fd, handles, array_size(handles), 1) == E2BIG &&
	   !wait_for(fd, handles, DRM_EDU_MAX_HANDLES, 1000), "too many handles");
	ok(copy(fd, b, 0, b, 0, DRM_EDU_MAX_BYTES + 1) == E2BIG, "too many bytes");
	huge = buffer(fd, HUGE_SIZE);
	for (size_t i = 0; i < array_size(copies); i++)
		copies[i] = (struct drm_edu_copy) { .src = huge, .dst = huge, .len = HUGE_SIZE };
	ok(huge && submit(fd, copies, 4, 0) == E2BIG, "as many bytes as wrap around to none");
	close_handle(fd, huge);
	ok(copy(fd, a, SIZE - 1, b, 0, 2) == EINVAL && copy(fd, a, 0, a, SIZE, 1) == EINVAL &&
	   copy(fd, a, -1, b, 0, 2) == EINVAL && copy(fd, a, 0, b, 0, 0) == EINVAL &&
	   copy(fd, b, 0, s, DRM_EDU_SLOT_SIZE - 1, 2) == EINVAL, "bytes outside of the object");
	ok(fill(fd, s, 0) == EINVAL && mmap_offset(fd, s, &offset) == EPERM,
	   "an object of the wrong kind");
	ok(drmPrimeHandleToFD(fd, s, 0, &dma_buf) && errno == EPERM, "a slot has no dma-buf");
	ok(create(fd, 2, SIZE, &none) == EINVAL && create(fd, DRM_EDU_SLOT, 1, &none) == EINVAL &&
	   create(fd, DRM_EDU_BUFFER, 0, &none) == EINVAL, "an object of no kind or size");
	ok(submit(fd, (void *)8, 1, 0) == EFAULT && wait_for(fd, (void *)8, 1, 1) == EFAULT &&
	   call(fd, DRM_IOCTL_EDU_BO_LABEL, &label) == EFAULT, "a pointer to nowhere");
	copies[0] = (struct drm_edu_copy) { .src = a, .dst = b, .len = 1 };
	ok(submit(fd, copies, 1, 4711) == ENOENT, "a syncobj that is none");
	close_handle(fd, a);
	close_handle(fd, b);
	close_handle(fd, s);
}

static void test_many(int fd)
{
	struct drm_edu_copy copies[8];
	uint32_t src[8], dst[8], s = slot(fd), i;
	bool good = true;

	for (i = 0; i < 8; i++) {
		src[i] = buffer(fd, 1);
		dst[i] = buffer(fd, 1);
		good &= !fill(fd, src[i], i + 1);
		copies[i] = (struct drm_edu_copy) { .src = src[i], .dst = dst[i], .len = 8 };
	}
	/* The second occurs twice, as a source and as a destination. */
	copies[7] = (struct drm_edu_copy) { .src = dst[1], .dst = dst[7], .len = 8 };
	good &= !submit(fd, copies, 8, 0);
	ok(good && wait_for(fd, dst, 8, 1) == ETIME, "a wait has a limit");
	ok(!wait_for(fd, dst, 8, 1000000), "many objects at once");
	for (i = 0; i < 8; i++) {
		uint8_t *p = map(fd, dst[i], 8);

		good &= p && *(uint32_t *)p == (i == 7 ? 2 : i + 1);
		if (p)
			munmap(p, 8);
	}
	ok(good, "all of them are right");

	/* The device does not get to the others before it has done the first. */
	good = !submit(fd, copies, 8, 0);
	for (i = 1; !copy(fd, src[0], 0, s, 0, 8); i++)
		;
	ok(good && i >= DRM_EDU_MAX_JOBS && errno == EBUSY, "a client cannot pile up jobs");
	for (i = 0; i < 8; i++) {
		close_handle(fd, src[i]);
		close_handle(fd, dst[i]);
	}
	ok(!wait_one(fd, s), "handles of objects in use can be closed");
	close_handle(fd, s);
}

/*
 * Only the kernel still has the objects. If it does not keep them, the IOMMU says so. The device is
 * idle before, whatever the driver says, and no other object gets the addresses while it copies.
 */
static void test_forgotten(void)
{
	int fd = open_device();
	uint32_t a = buffer(fd, SIZE), b = buffer(fd, SIZE);
	bool good;

	usleep(2 * STEP_US);
	good = !copy(fd, a, 0, b, 0, SIZE);
	close_handle(fd, a);
	close_handle(fd, b);
	close(fd);
	usleep(2 * STEP_US);
	ok(good, "a client that leaves while the device is busy");
}

static bool file_has(const char *path, const char *text)
{
	char buf[16384];
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(buf, 1, sizeof(buf) - 1, file) : 0;

	if (file)
		fclose(file);
	buf[n] = 0;
	return strstr(buf, text);
}

static void test_people(int fd)
{
	struct drm_edu_bo_label label = { .name = (uintptr_t)"texture" };
	char path[64];

	label.handle = buffer(fd, SIZE);
	ok(!call(fd, DRM_IOCTL_EDU_BO_LABEL, &label) &&
	   file_has("/sys/kernel/debug/drm_shmem", " texture\n"), "debugfs shows a label");
	close_handle(fd, label.handle);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ok(file_has(path, "drm-engine-dma:\t") && !file_has(path, "drm-engine-dma:\t0 ns") &&
	   file_has(path, "drm-total-memory:"), "fdinfo shows what was used");
}

static int test(void)
{
	int fd = open_device();

	if (fd < 0) {
		ok(false, "there is a device");
		return 1;
	}
	test_buffers(fd);
	test_chain(fd);
	test_slots(fd);
	test_errors(fd);
	test_many(fd);
	test_forgotten();
	test_people(fd);
	close(fd);
	return failed;
}

/* Returns the state of a sync file's fence: 1 if it was signalled, or an error. */
static int sync_status(int sync)
{
	struct sync_file_info info = {};
	struct pollfd end = { .fd = sync, .events = POLLIN };

	if (poll(&end, 1, -1) != 1 || ioctl(sync, SYNC_IOC_FILE_INFO, &info))
		return 0;
	return info.status;
}

static int busy(void)
{
	struct drm_edu_copy copies[16];
	int fd = open_device(), sync = -1, status;
	struct pair p;
	uint32_t obj;

	if (fd < 0 || !make_pair(fd, &p, 3) || drmSyncobjCreate(fd, 0, &obj))
		return 1;
	for (size_t i = 0; i < array_size(copies); i++)
		copies[i] = (struct drm_edu_copy) { .src = p.a, .dst = p.b, .len = SIZE / 8 };
	if (submit(fd, copies, array_size(copies), obj) ||
	    drmSyncobjExportSyncFile(fd, obj, &sync))
		return 1;
	/* Only the job has these tables now. */
	munmap(p.pa, SIZE);
	close_handle(fd, p.a);
	puts("busy");
	fflush(stdout);
	status = sync_status(sync);
	printf("status %d\n", status);
	printf("then %d\n", fill(fd, p.b, 1));
	/* The buffer stays until the client gives it up. */
	printf("buffer %d\n", p.pb[SIZE - 1]);
	return 0;
}

static volatile sig_atomic_t over;

static void end_storm(int sig)
{
	over = sig;
}

/* One copy, which the device may be taken away from at any point. Is the data right? */
static bool storm_round(int fd, unsigned int round, unsigned int *done)
{
	const size_t from = round * 37 % 4096, len = 1 + round * 101 % 3000;
	uint32_t s = round % 3 ? 0 : slot(fd);
	struct pair p = {};
	bool right = true;
	uint64_t i;

	if (make_pair(fd, &p, round)) {
		if (round % 5 == 4) {
			copy(fd, p.a, from, p.b, 0, len);	/* and forget it */
		} else if (!copy(fd, p.a, from, p.b, 0, len) && !wait_one(fd, p.b) &&
			   !fill(fd, p.a, 0)) {
			/* The device was there after the wait, so the copy was done. */
			pattern(p.pa, SIZE, round);
			right = !memcmp(p.pa + from, p.pb, len);
			++*done;
			puts("used");
			fflush(stdout);
		}
		if (s)
			for (i = 0; i < 3; i++)
				copy(fd, p.a, i, s, i, 100);
	}
	end_pair(fd, &p);
	close_handle(fd, s);
	return right;
}

static int storm(void)
{
	unsigned int round = 0, done = 0, lost = 0, wrong = 0;
	int fd;

	signal(SIGTERM, end_storm);
	srand(getpid());
	round = rand() % 1000;
	while (!over) {
		fd = open_device();
		if (fd < 0) {
			usleep(20000);
			continue;
		}
		while (!over && fill(fd, 0, 0) != ENODEV) {
			if (!storm_round(fd, ++round, &done))
				wrong++;
		}
		lost += !over;
		close(fd);
	}
	printf("copied %u times, lost the device %u times, wrong %u times\n", done, lost, wrong);
	return wrong != 0;
}

/* Once the driver is gone, the device may not do DMA. */
static int idle(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	volatile uint32_t *regs = mmap(NULL, EDU_REGISTERS, PROT_READ, MAP_SHARED, fd, 0);

	if (regs == MAP_FAILED) {
		perror(path);
		return 1;
	}
	printf("id %08x command %x\n", regs[0], regs[EDU_DMA_CMD / 4]);
	return (regs[0] & 0xff) != 0xed || regs[EDU_DMA_CMD / 4] & 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "test"))
		return test();
	if (!strcmp(what, "busy"))
		return busy();
	if (!strcmp(what, "storm"))
		return storm();
	if (!strcmp(what, "idle") && argc == 3)
		return idle(argv[2]);
	fprintf(stderr, "usage: %s test|busy|storm|idle FILE\n", argv[0]);
	return 2;
}
