// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Many threads call everything, on whatever devices there are just now; one
 * process is killed in the middle of it again and again. Devices may be
 * unplugged and come back at any moment: what a job did must be right
 * whenever it says that it is done, and every error must be one that the loss
 * of a device explains.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "client.h"

#define PROCESSES	2
#define THREADS		3
#define MAX_PAGES	16
#define VA		0x100000000ULL
#define VA_SPARE	(VA + (2ULL << 30))
#define VA_COLD		(VA + (3ULL << 30))
#define SPARE_SIZE	(64 << 10)

/* Shared by all processes */
static struct counts {
	unsigned long calls;
	unsigned long rounds;
	unsigned long lost;
	unsigned long timeouts;
	unsigned long faults;
	unsigned long purged;
	unsigned long evicted;
	unsigned long kills;
	unsigned long unbinds;
	unsigned long wrong;
	bool enough;
} *counts;

static struct timespec end;
static bool impatient;	/* the driver gives up on long jobs soon */
static __thread unsigned int seed;

static unsigned int any(unsigned int n)
{
	return rand_r(&seed) % n;
}

static bool time_left(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < end.tv_sec && !__atomic_load_n(&counts->enough, __ATOMIC_RELAXED);
}

static void add(unsigned long *count)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static void wrong(const char *what, int ret)
{
	add(&counts->wrong);
	printf("# %s: %s\n", what, error_name(ret));
}

/*
 * Did the call do what it should? That the device is gone, or the memory used
 * up, or that a job was cancelled for one of these, is no mistake. Nor is it
 * that a job takes too long: the module may be told to be impatient. Faults of the
 * hardware are ordered then, too.
 */
static bool good(int ret, const char *what)
{
	add(&counts->calls);
	switch (ret) {
	case 0:
		return true;
	case -ENODEV:
	case -ESRCH:
		add(&counts->lost);
		return false;
	case -ETIME:
		add(&counts->timeouts);
		return false;
	case -ENOMEM:
		return false;
	case -EIO:
	case -ENOTRECOVERABLE:
		if (!impatient)
			break;
		add(&counts->faults);
		return false;
	}
	wrong(what, ret);
	return false;
}

#define GOOD(call)	good(call, #call)

static int negative_errno(int ret)
{
	return ret ? -errno : 0;
}

/* Write to a mapping of a device that may go meanwhile. */
static bool scribble(uint8_t *map, size_t size, unsigned int value)
{
	size_t i;

	if (sigsetjmp(on_sigbus, 1))
		return false;
	for (i = 0; i < size; i += 16)
		memset(map + i, value + i / 4096 + i, 16);
	return true;
}

static bool checksum(const void *map, size_t size, uint32_t *crc)
{
	if (sigsetjmp(on_sigbus, 1))
		return false;
	*crc = crc32_add(0, map, size);
	return true;
}

/* Copy and checksum, and compare the result with the memory that the CPU sees. */
static void round_trip(int fd, uint32_t vm, struct buffer *src,
		       struct buffer *dst)
{
	const uint64_t size = src->size - 1 - any(100);
	const struct drm_sgpu_cmd cmds[] = {
		{ .op = DRM_SGPU_CMD_COPY, .size = size,
		  .src = VA + 1, .dst = VA + src->size },
		{ .op = DRM_SGPU_CMD_CHECKSUM, .size = size,
		  .src = VA + src->size, .dst = VA + 2 * src->size },
	};
	uint32_t expected, got;

	if (!scribble(src->map, src->size, any(256)) ||
	    !GOOD(bind_map(fd, vm, src->handle, 0, VA, src->size, any(2))) ||
	    !GOOD(bind_map(fd, vm, dst->handle, 0, VA + src->size, dst->size, 0)) ||
	    !GOOD(exec_wait(fd, vm, cmds, ARRAY_SIZE(cmds))))
		return;

	if (!checksum(src->map + 1, size, &expected))
		return;
	if (sigsetjmp(on_sigbus, 1))
		return;
	memcpy(&got, dst->map + src->size, sizeof(got));
	if (got != expected)
		wrong("checksum of a copy", -EBADMSG);
	else
		add(&counts->rounds);
}

/* Send a buffer to another device, if there is one, and have it read there. */
static void share(int fd, struct buffer *bo)
{
	struct device other;
	uint32_t handle, vm;
	int prime;

	if (!GOOD(negative_errno(drmPrimeHandleToFD(fd, bo->handle, DRM_CLOEXEC,
						    &prime))))
		return;
	if (!device_open(&other, any(3))) {
		const struct drm_sgpu_cmd cmd = {
			.op = DRM_SGPU_CMD_COPY, .src = VA, .dst = VA,
			.size = bo->size,
		};

		if (GOOD(negative_errno(drmPrimeFDToHandle(other.fd, prime,
							   &handle))) &&
		    GOOD(vm_create(other.fd, &vm)) &&
		    GOOD(bind_map(other.fd, vm, handle, 0, VA, bo->size, 0)))
			GOOD(exec_wait(other.fd, vm, &cmd, 1));
		device_close(&other);
	}
	close(prime);
}

/* Wrong calls fail in any state of the device. */
static void mistakes(int fd, uint32_t vm)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = 1ULL << 36, .size = 10,
	};
	int ret;

	ret = bind_range(fd, vm, DRM_SGPU_BIND_UNMAP, 1, 1);
	if (ret != -EINVAL)
		GOOD(ret ? ret : -EBADMSG);
	ret = exec_wait(fd, vm, &cmd, 1);
	if (ret != -EFAULT)
		GOOD(ret ? ret : -EBADMSG);
}

/* A bind and commands, without a wait */
static void leave_behind(int fd, uint32_t vm)
{
	static const struct drm_sgpu_bind_op op = {
		.op = DRM_SGPU_BIND_UNMAP, .addr = VA, .size = 1 << 30,
	};
	static const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = 1,
	};

	GOOD(vm_bind(fd, vm, &op, 1, NULL, 0));
	GOOD(sgpu_exec(fd, vm, &cmd, 1, NULL, 0, NULL));
}

/* Leave jobs behind for which no task waits. */
static void leave_jobs(int fd, uint32_t vm)
{
	static const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA + (1 << 30), .size = 1 << 20,
	};
	unsigned int i;

	if (!GOOD(bind_range(fd, vm, DRM_SGPU_BIND_SPARSE, VA + (1 << 30), 1 << 20)))
		return;
	for (i = 0; i < 4; i++)
		GOOD(sgpu_exec(fd, vm, &cmd, 1, NULL, 0, NULL));
}

/* Commands of minutes */
static struct drm_sgpu_cmd endless[DRM_SGPU_MAX_CMDS];

static void init_endless(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(endless); i++)
		endless[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA + (1 << 30), .size = 1 << 30,
		};
}

/* They end if the driver gives up on them before. */
static int take_too_long(int fd, uint32_t vm)
{
	int ret = bind_range(fd, vm, DRM_SGPU_BIND_SPARSE, VA + (1 << 30), 1 << 30);

	return ret ? ret : exec_wait(fd, vm, endless, ARRAY_SIZE(endless));
}

/* They end with their address space, and so do the jobs that wait behind them. */
static void abandon(int fd)
{
	uint32_t vm;

	if (!GOOD(vm_create(fd, &vm)))
		return;
	if (GOOD(bind_range(fd, vm, DRM_SGPU_BIND_SPARSE, VA + (1 << 30), 1 << 30)) &&
	    GOOD(sgpu_exec(fd, vm, endless, ARRAY_SIZE(endless), NULL, 0, NULL)))
		leave_behind(fd, vm);
	GOOD(vm_destroy(fd, vm));
}

/* As many address spaces as a file may have, and no more */
static void hoard(int fd)
{
	static __thread uint32_t vms[DRM_SGPU_MAX_VMS];
	unsigned int n;
	int ret = 0;

	for (n = 0; n < ARRAY_SIZE(vms) && !ret; n += !ret)
		ret = vm_create(fd, &vms[n]);
	/* One of them is the caller's. */
	if (ret != -EBUSY)
		GOOD(ret ? ret : -EBADMSG);
	while (n--)
		GOOD(vm_destroy(fd, vms[n]));
}

/* All addresses, and again, as often as jobs may wait */
static void fill_queue(int fd)
{
	struct drm_sgpu_bind_op op = { .op = DRM_SGPU_BIND_SPARSE };
	struct drm_sgpu_info info;
	uint32_t vm;
	int i, ret = 0;

	if (!GOOD(sgpu_info(fd, &info)) || !GOOD(vm_create(fd, &vm)))
		return;
	op.addr = info.va_start;
	op.size = info.va_end - info.va_start;
	for (i = 0; i <= DRM_SGPU_MAX_JOBS && !ret; i++) {
		ret = vm_bind(fd, vm, &op, 1, NULL, 0);
		op.op = any(2) ? DRM_SGPU_BIND_SPARSE : DRM_SGPU_BIND_UNMAP;
	}
	if (ret != -EBUSY)
		GOOD(ret);
	GOOD(vm_destroy(fd, vm));
}

/* Jobs count for their file until they are freed, so this has a file of its own. */
static void overwork(const struct device *dev)
{
	int fd = open(dev->node, O_RDWR | O_CLOEXEC);

	/* The device may be gone. */
	if (fd < 0)
		return;
	fill_queue(fd);
	close(fd);
}

/* Waits for a fence that is never signalled */
static void wait_in_vain(int fd, uint32_t vm)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA + (1 << 30), .size = 1,
	};
	struct drm_sgpu_sync syncs[] = {
		{ .flags = DRM_SGPU_SYNC_TIMELINE, .point = 1 },
		{ .flags = DRM_SGPU_SYNC_SIGNAL },
	};
	uint64_t point = 1;
	int ret;

	if (!GOOD(syncobj_create(fd, &syncs[0].handle)) ||
	    !GOOD(syncobj_create(fd, &syncs[1].handle)))
		return;
	/* No job will signal this fence. A job cannot wait for it, and a client needs a limit. */
	ret = sgpu_exec(fd, vm, &cmd, 1, syncs, 2, NULL);
	if (ret != -EINVAL)
		GOOD(ret ? ret : -EBADMSG);
	ret = drmSyncobjTimelineWait(fd, &syncs[0].handle, &point, 1, 0,
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, NULL) ? -errno : 0;
	if (ret != -ETIME)
		GOOD(ret ? ret : -EBADMSG);
	drmSyncobjDestroy(fd, syncs[0].handle);
	drmSyncobjDestroy(fd, syncs[1].handle);
}

/* A buffer whose contents are needed at times */
struct spare {
	struct buffer bo;
	uint32_t crc;
	bool needed;
	bool bound;	/* or may be, as unbinding failed */
};

static int advise(struct spare *s, uint32_t madv)
{
	int ret = bo_madvise(s->bo.fd, s->bo.handle, madv);

	good(ret < 0 ? ret : 0, "bo_madvise");
	return ret;
}

/* An access raised SIGBUS: there was no memory or no device, unless the buffer was purged. */
static void spare_unread(struct spare *s)
{
	if (!advise(s, DRM_SGPU_MADV_WILLNEED))
		wrong("a needed buffer was purged", -EBADMSG);
	buffer_destroy(&s->bo);
	s->needed = false;
}

/* Give it contents, which may be lost from here on, and not before. */
static void spare_offer(struct spare *s, int fd)
{
	if (!s->bo.handle && !GOOD(buffer_create(&s->bo, fd, SPARE_SIZE)))
		return;
	if (!scribble(s->bo.map, s->bo.size, any(256)) ||
	    !checksum(s->bo.map, s->bo.size, &s->crc))
		spare_unread(s);
	else if (!advise(s, DRM_SGPU_MADV_DONTNEED))
		wrong("a needed buffer was purged", -EBADMSG);
	s->needed = false;
}

/* A purged buffer stays purged, and no call gives its contents. */
static void spare_lost(struct spare *s, uint32_t vm)
{
	uint32_t id;
	uint64_t first;
	int ret;

	add(&counts->purged);
	if (peek(s->bo.map) != -EFAULT)
		wrong("a purged buffer can be read", -EBADMSG);
	ret = bind_map(s->bo.fd, vm, s->bo.handle, 0, VA_SPARE, s->bo.size, 0);
	if (ret != -ENODATA)
		GOOD(ret ? ret : -EBADMSG);
	ret = bo_vmap(s->bo.fd, s->bo.handle, &id, &first);
	if (ret != -ENODATA)
		GOOD(ret ? ret : -EBADMSG);
	if (advise(s, any(2)) > 0)
		wrong("a purged buffer came back", -EBADMSG);
	else
		buffer_destroy(&s->bo);
}

/* Either the contents are unchanged, or the driver reports that they are lost. */
static void spare_want(struct spare *s, uint32_t vm)
{
	uint32_t crc;
	int retained;

	if (!s->bo.handle)
		return;
	retained = advise(s, DRM_SGPU_MADV_WILLNEED);
	s->needed = retained > 0;
	if (!retained)
		spare_lost(s, vm);
	else if (retained > 0 && !checksum(s->bo.map, s->bo.size, &crc))
		spare_unread(s);
	else if (retained > 0 && crc != s->crc)
		wrong("contents of a buffer that was not purged", -EBADMSG);
}

/*
 * A job finds its contents, or is told that they are lost. While no job uses it, it can
 * be purged though it is bound, unless it is needed.
 */
static void spare_run(struct spare *s, uint32_t vm, struct buffer *out,
		      const struct drm_sgpu_cmd *cmd)
{
	uint32_t crc;
	int ret;

	if (!GOOD(bind_map(s->bo.fd, vm, out->handle, 0, cmd->dst, out->size, 0)))
		return;
	ret = exec_wait(s->bo.fd, vm, cmd, 1);
	if (ret != -ENODATA || s->needed) {
		if (!GOOD(ret) || sigsetjmp(on_sigbus, 1))
			return;
		memcpy(&crc, out->map, sizeof(crc));
		if (crc != s->crc)
			wrong("contents of a buffer that was bound", -EBADMSG);
	}
	if (!advise(s, DRM_SGPU_MADV_DONTNEED) && s->needed)
		wrong("a needed buffer was purged", -EBADMSG);
	s->needed = false;
}

/* It does not stay bound: if it is purged then, no other job of @vm runs. */
static void spare_bind(struct spare *s, uint32_t vm, struct buffer *out)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_CHECKSUM, .size = s->bo.size,
		.src = VA_SPARE, .dst = VA_SPARE + s->bo.size,
	};
	int ret;

	if (!s->bo.handle)
		return;
	ret = bind_map(s->bo.fd, vm, s->bo.handle, 0, cmd.src, cmd.size, any(2));
	if (ret == -ENODATA) {
		ret = advise(s, DRM_SGPU_MADV_DONTNEED);
		if (ret > 0 || s->needed)
			wrong("a buffer that was not purged cannot be bound", -ENODATA);
		return;
	}
	if (GOOD(ret))
		spare_run(s, vm, out, &cmd);
	s->bound = !GOOD(bind_range(s->bo.fd, vm, DRM_SGPU_BIND_UNMAP, cmd.src,
				    cmd.size + out->size));
}

/*
 * A buffer that nobody looks at but the GPU, so that it can be evicted: what one
 * job writes, another finds. It may be bound at two addresses.
 */
static void cold(int fd, uint32_t vm, struct buffer *out)
{
	const uint64_t offset = any(2) << 20, part = 1 + any(SPARE_SIZE);
	const unsigned int value = any(256);
	const struct drm_sgpu_cmd write = {
		.op = DRM_SGPU_CMD_FILL, .value = value, .size = SPARE_SIZE,
		.dst = VA_COLD,
	}, read = {
		.op = DRM_SGPU_CMD_CHECKSUM, .size = part,
		.src = VA_COLD + offset, .dst = VA_COLD + (2 << 20),
	};
	uint8_t expected[SPARE_SIZE];
	uint64_t size = SPARE_SIZE;
	uint32_t handle, crc;
	unsigned int i;
	int ret;

	if (!GOOD(bo_create(fd, &size, 0, &handle)) ||
	    !GOOD(bind_map(fd, vm, handle, 0, write.dst, size, 0)) ||
	    !GOOD(bind_map(fd, vm, out->handle, 0, read.dst, out->size, 0)) ||
	    !GOOD(exec_wait(fd, vm, &write, 1)))
		return;
	for (i = any(4); i--;) {
		ret = bo_madvise(fd, handle, DRM_SGPU_MADV_PAGEOUT);
		if (ret != -EBUSY && good(ret < 0 ? ret : 0, "bo_madvise"))
			add(&counts->evicted);
		if (any(2))
			GOOD(bind_range(fd, vm, DRM_SGPU_BIND_SPARSE, VA_COLD + (1 << 20), size));
	}
	if (!GOOD(bind_map(fd, vm, handle, 0, read.src, size, any(2))) ||
	    !GOOD(exec_wait(fd, vm, &read, 1)))
		return;
	if (sigsetjmp(on_sigbus, 1))
		return;
	memcpy(&crc, out->map, sizeof(crc));
	memset(expected, value, part);
	if (crc != crc32_add(0, expected, part))
		wrong("contents of a buffer that was evicted", -EBADMSG);
	else
		add(&counts->rounds);
	GOOD(bind_range(fd, vm, DRM_SGPU_BIND_UNMAP, VA_COLD, 4 << 20));
	GOOD(bo_close(fd, handle));
}

static void use_device(struct device *dev)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const uint64_t size = (1 + any(MAX_PAGES)) * page;
	struct buffer src = {}, dst = {};
	struct spare spare = {};
	unsigned int i, n = any(20);
	uint32_t vm, vmap;
	uint64_t first;

	if (!GOOD(vm_create(dev->fd, &vm)) ||
	    !GOOD(buffer_create(&src, dev->fd, size)) ||
	    !GOOD(buffer_create(&dst, dev->fd, size + page)))
		goto out;

	spare_offer(&spare, dev->fd);
	for (i = 0; i < n && !spare.bound; i++) {
		switch (any(16)) {
		case 0:
			GOOD(bo_vmap(dev->fd, src.handle, &vmap, &first));
			break;
		case 1:
			share(dev->fd, &src);
			break;
		case 2:
			mistakes(dev->fd, vm);
			break;
		case 3:
			leave_jobs(dev->fd, vm);
			break;
		case 4:
			GOOD(bind_range(dev->fd, vm, DRM_SGPU_BIND_UNMAP,
					VA + any(MAX_PAGES) * page,
					(1 + any(MAX_PAGES)) * page));
			break;
		case 5:
			wait_in_vain(dev->fd, vm);
			break;
		case 6:
			if (impatient && !any(20))
				GOOD(take_too_long(dev->fd, vm));
			break;
		case 7:
			if (spare.bo.handle && !spare.needed)
				spare_want(&spare, vm);
			else
				spare_offer(&spare, dev->fd);
			break;
		case 8:
			spare_bind(&spare, vm, &dst);
			break;
		case 9:
		case 10:
			cold(dev->fd, vm, &dst);
			break;
		case 11:
			abandon(dev->fd);
			break;
		case 12:
			if (!any(4))
				hoard(dev->fd);
			break;
		case 13:
			if (!any(4))
				overwork(dev);
			break;
		default:
			round_trip(dev->fd, vm, &src, &dst);
		}
	}
	spare_want(&spare, vm);
	if (any(2))
		GOOD(vm_destroy(dev->fd, vm));
out:
	/* Sometimes the mappings, which hold the device, outlive the file. */
	if (any(2)) {
		buffer_destroy(&src);
		buffer_destroy(&dst);
		buffer_destroy(&spare.bo);
	}
	device_close(dev);
	src.handle = 0;
	dst.handle = 0;
	spare.bo.handle = 0;
	buffer_destroy(&src);
	buffer_destroy(&dst);
	buffer_destroy(&spare.bo);
}

static void *thread(void *arg)
{
	struct device dev;

	seed = (uintptr_t)arg;
	while (time_left()) {
		if (device_open(&dev, any(3)) && device_open(&dev, 0))
			usleep(1000);
		else
			use_device(&dev);
	}
	return NULL;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A waiting call is interrupted, and starts again. */
static void interrupt_often(void)
{
	static const struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	static const struct sigaction action = {
		.sa_handler = nothing,
		.sa_flags = SA_RESTART,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void threads(unsigned int seeds)
{
	pthread_t id[THREADS];
	uintptr_t i;

	interrupt_often();

	/* As many as the memory allows for */
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)(seeds + i)))
			break;
	while (i--)
		pthread_join(id[i], NULL);
	exit(0);
}

static pid_t start(unsigned int seeds)
{
	pid_t pid = fork();

	if (!pid)
		threads(seeds);
	return pid;
}

/* Before devices come and go: is a job that takes too long ended? */
static void time_out(void)
{
	struct device dev;
	int ret = -ENODEV;
	uint32_t vm;

	/* The module may be away, and the memory used up. */
	while ((ret == -ENODEV || ret == -ENOMEM) && time_left()) {
		usleep(1000);
		ret = device_open(&dev, 0);
		if (!ret)
			ret = vm_create(dev.fd, &vm);
		if (!ret)
			ret = take_too_long(dev.fd, vm);
		device_close(&dev);
	}
	if (ret == -ETIME)
		add(&counts->timeouts);
	else
		wrong("a job that takes too long", ret);
}

/*
 * Unbind a device and bind it again, until that was done often enough. The module
 * may be away. A device that it just makes is not touched: the kernel loses the
 * memory of what it says of one that cannot be bound yet.
 */
static void unbind(const char *name, unsigned long times)
{
	bool unbound = false;

	while (time_left()) {
		int ret = device_bind(name, false);

		if (!ret)
			unbound = true;
		else if (ret == -ENOENT)
			unbound = false;
		if (!unbound || device_bind(name, true)) {
			usleep(1000);
			continue;
		}
		unbound = false;
		if (__atomic_add_fetch(&counts->unbinds, 1, __ATOMIC_RELAXED) >= times)
			__atomic_store_n(&counts->enough, true, __ATOMIC_RELAXED);
	}
	exit(0);
}

/* The module may have been away, and have forgotten. */
static void order_faults(bool some)
{
	fault_storm("fail_map", some ? 1 : 0);
	fault_storm("hang_bind", some ? 1 : 0);
}

/*
 * Until @seconds are over. If @unbinds is not 0 then devices are unbound and
 * bound again, and it ends, too, when that was done so often.
 */
int stress(unsigned int seconds, unsigned long unbinds)
{
	static const char * const names[] = { "sgpu.0", "sgpu.1" };
	unsigned int i;
	pid_t victim;
	int status;

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 1;
	/* A process may be killed, so it must have printed its mistakes by then. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_sigbus();
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	init_endless();
	impatient = device_timeout() < 10000;
	if (impatient)
		time_out();

	for (i = 0; unbinds && i < ARRAY_SIZE(names); i++)
		if (!fork())
			unbind(names[i], unbinds);
	for (i = 0; i < PROCESSES; i++)
		start(1000 * i);
	for (i = 0; time_left(); i++) {
		victim = start(1000000 + 1000 * i);
		usleep(50000 + i % 7 * 30000);
		if (victim < 0)
			continue;
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
		add(&counts->kills);
		order_faults(impatient);
	}
	order_faults(false);
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			wrong("a process died", -ECHILD);

	printf("%lu calls, %lu copies checked, %lu buffers purged, %lu evicted, %lu devices lost, ",
	       counts->calls, counts->rounds, counts->purged, counts->evicted, counts->lost);
	printf("%lu time-outs, %lu faults, %lu processes killed, %lu unbinds, %lu wrong\n",
	       counts->timeouts, counts->faults, counts->kills, counts->unbinds,
	       counts->wrong);
	return counts->wrong || !counts->calls;
}
