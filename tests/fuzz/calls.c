// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The calls: every ioctl of sgpu and those of the DRM core that such a driver
 * has, memory that is mapped, dma-bufs, the loss of a device and of memory.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "fuzz.h"
#include "sgpu_uapi.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096ULL
#define FILES		4
#define FDS		8
#define MAPS		4
#define ELEMENTS	4
#define DRIVER_DIR	"/sys/bus/platform/drivers/sgpu/"

/* The kind of value in a well-formed member */
enum kind {
	END,
	ZERO,		/* reserved, or set by the kernel */
	STRICT,		/* reserved: anything else is refused */
	HANDLE,		/* of an object, a VM, a mapping or a syncobj */
	FD,		/* of a dma-buf, a sync file or a syncobj */
	SIZE,		/* of a buffer, or of a part of one */
	OFFSET,		/* into a buffer */
	ADDR,		/* GPU address */
	FLAGS,		/* any of the bits of .limit */
	BELOW,		/* less than .limit */
	TIMEOUT,
	COUNT,		/* of the elements that a pointer after this has */
	OPS, CMDS, SYNCS, HANDLES, POINTS, BYTES,	/* pointers */
};

struct member {
	uint8_t at;
	uint8_t bytes;
	uint8_t kind;
	uint64_t limit;
};

#define M(_type, _name, _kind, ...) {				\
	.at = offsetof(struct _type, _name),			\
	.bytes = sizeof(((struct _type *)0)->_name),		\
	.kind = _kind,						\
	.limit = (__VA_ARGS__ + 0),				\
}

static const struct member bind_op[] = {
	M(drm_sgpu_bind_op, op, BELOW, 3),
	M(drm_sgpu_bind_op, flags, FLAGS, 1),
	M(drm_sgpu_bind_op, handle, HANDLE),
	M(drm_sgpu_bind_op, pad, STRICT),
	M(drm_sgpu_bind_op, offset, OFFSET),
	M(drm_sgpu_bind_op, addr, ADDR),
	M(drm_sgpu_bind_op, size, SIZE),
	{}
};

static const struct member cmd[] = {
	M(drm_sgpu_cmd, op, BELOW, 3),
	M(drm_sgpu_cmd, value, BELOW, 256),
	M(drm_sgpu_cmd, src, ADDR),
	M(drm_sgpu_cmd, dst, ADDR),
	M(drm_sgpu_cmd, size, SIZE),
	{}
};

static const struct member job_sync[] = {
	M(drm_sgpu_sync, handle, HANDLE),
	M(drm_sgpu_sync, flags, FLAGS, 3),
	M(drm_sgpu_sync, point, BELOW, 4),
	{}
};

static const struct member handle32[] = { { 0, 4, HANDLE, 0 }, {} };
static const struct member point64[] = { { 0, 8, BELOW, 4 }, {} };
static const struct member byte8[] = { { 0, 1, BELOW, 256 }, {} };

static const struct {
	const struct member *members;
	size_t size;
} elements[] = {
	[OPS] = { bind_op, sizeof(struct drm_sgpu_bind_op) },
	[CMDS] = { cmd, sizeof(struct drm_sgpu_cmd) },
	[SYNCS] = { job_sync, sizeof(struct drm_sgpu_sync) },
	[HANDLES] = { handle32, 4 },
	[POINTS] = { point64, 8 },
	[BYTES] = { byte8, 1 },
};

/*
 * The core allocates as much as this asks for, and the allocator warns of more
 * than it has in one piece.
 */
#define MANY	65536

struct layout {
	const char *name;
	unsigned long request;
	struct member members[12];
};

#define SGPU(name, ...)	{ "sgpu_" #name, DRM_IOCTL_SGPU_##name, { __VA_ARGS__ } }
#define CORE(name, ...)	{ #name, DRM_IOCTL_##name, { __VA_ARGS__ } }

static const struct layout layouts[] = {
	SGPU(INFO, M(drm_sgpu_info, pad, STRICT)),
	SGPU(BO_CREATE, M(drm_sgpu_bo_create, size, SIZE),
	     M(drm_sgpu_bo_create, flags, FLAGS, 1),
	     M(drm_sgpu_bo_create, handle, STRICT)),
	SGPU(BO_MMAP_OFFSET, M(drm_sgpu_bo_mmap_offset, handle, HANDLE),
	     M(drm_sgpu_bo_mmap_offset, pad, STRICT)),
	SGPU(BO_VMAP, M(drm_sgpu_bo_vmap, handle, HANDLE),
	     M(drm_sgpu_bo_vmap, id, STRICT), M(drm_sgpu_bo_vmap, first, STRICT)),
	SGPU(BO_VUNMAP, M(drm_sgpu_bo_vunmap, id, HANDLE),
	     M(drm_sgpu_bo_vunmap, pad, STRICT)),
	SGPU(VM_CREATE, M(drm_sgpu_vm_create, id, ZERO),
	     M(drm_sgpu_vm_create, pad, STRICT)),
	SGPU(VM_DESTROY, M(drm_sgpu_vm_destroy, id, HANDLE),
	     M(drm_sgpu_vm_destroy, pad, STRICT)),
	SGPU(VM_BIND, M(drm_sgpu_vm_bind, vm_id, HANDLE),
	     M(drm_sgpu_vm_bind, pad, STRICT),
	     M(drm_sgpu_vm_bind, op_count, COUNT), M(drm_sgpu_vm_bind, ops, OPS),
	     M(drm_sgpu_vm_bind, sync_count, COUNT), M(drm_sgpu_vm_bind, syncs, SYNCS),
	     M(drm_sgpu_vm_bind, job, ZERO)),
	SGPU(EXEC, M(drm_sgpu_exec, vm_id, HANDLE), M(drm_sgpu_exec, pad, STRICT),
	     M(drm_sgpu_exec, cmd_count, COUNT), M(drm_sgpu_exec, cmds, CMDS),
	     M(drm_sgpu_exec, sync_count, COUNT), M(drm_sgpu_exec, syncs, SYNCS),
	     M(drm_sgpu_exec, job, ZERO)),
	SGPU(VM_FAULT, M(drm_sgpu_vm_fault, vm_id, HANDLE)),
	SGPU(BO_MADVISE, M(drm_sgpu_bo_madvise, handle, HANDLE),
	     M(drm_sgpu_bo_madvise, madv, BELOW, 3), M(drm_sgpu_bo_madvise, retained, ZERO),
	     M(drm_sgpu_bo_madvise, pad, STRICT)),

	CORE(GEM_CLOSE, M(drm_gem_close, handle, HANDLE), M(drm_gem_close, pad, ZERO)),
	CORE(PRIME_HANDLE_TO_FD, M(drm_prime_handle, handle, HANDLE),
	     M(drm_prime_handle, flags, FLAGS, (DRM_RDWR | DRM_CLOEXEC))),
	CORE(PRIME_FD_TO_HANDLE, M(drm_prime_handle, fd, FD)),
	CORE(MODE_CREATE_DUMB, M(drm_mode_create_dumb, width, BELOW, 64),
	     M(drm_mode_create_dumb, height, BELOW, 64),
	     M(drm_mode_create_dumb, bpp, BELOW, 65)),
	CORE(MODE_MAP_DUMB, M(drm_mode_map_dumb, handle, HANDLE)),
	CORE(MODE_DESTROY_DUMB, M(drm_mode_destroy_dumb, handle, HANDLE)),
	CORE(GEM_FLINK, M(drm_gem_flink, handle, HANDLE)),
	CORE(GEM_OPEN, M(drm_gem_open, name, HANDLE)),
	CORE(GET_CAP, M(drm_get_cap, capability, BELOW, 32)),
	CORE(SYNCOBJ_CREATE, M(drm_syncobj_create, flags, FLAGS, 1)),
	CORE(SYNCOBJ_DESTROY, M(drm_syncobj_destroy, handle, HANDLE),
	     M(drm_syncobj_destroy, pad, STRICT)),
	CORE(SYNCOBJ_HANDLE_TO_FD, M(drm_syncobj_handle, handle, HANDLE),
	     M(drm_syncobj_handle, flags, FLAGS, 1)),
	CORE(SYNCOBJ_FD_TO_HANDLE, M(drm_syncobj_handle, fd, FD),
	     M(drm_syncobj_handle, handle, HANDLE), M(drm_syncobj_handle, flags, FLAGS, 1)),
	CORE(SYNCOBJ_WAIT, M(drm_syncobj_wait, count_handles, COUNT, MANY),
	     M(drm_syncobj_wait, handles, HANDLES), M(drm_syncobj_wait, timeout_nsec, TIMEOUT),
	     M(drm_syncobj_wait, flags, FLAGS, 3)),
	CORE(SYNCOBJ_TIMELINE_WAIT, M(drm_syncobj_timeline_wait, count_handles, COUNT, MANY),
	     M(drm_syncobj_timeline_wait, handles, HANDLES),
	     M(drm_syncobj_timeline_wait, points, POINTS),
	     M(drm_syncobj_timeline_wait, timeout_nsec, TIMEOUT),
	     M(drm_syncobj_timeline_wait, flags, FLAGS, 7)),
	CORE(SYNCOBJ_RESET, M(drm_syncobj_array, count_handles, COUNT, MANY),
	     M(drm_syncobj_array, handles, HANDLES)),
	CORE(SYNCOBJ_SIGNAL, M(drm_syncobj_array, count_handles, COUNT, MANY),
	     M(drm_syncobj_array, handles, HANDLES)),
	CORE(SYNCOBJ_TIMELINE_SIGNAL, M(drm_syncobj_timeline_array, count_handles, COUNT, MANY),
	     M(drm_syncobj_timeline_array, handles, HANDLES),
	     M(drm_syncobj_timeline_array, points, POINTS)),
	CORE(SYNCOBJ_QUERY, M(drm_syncobj_timeline_array, count_handles, COUNT, MANY),
	     M(drm_syncobj_timeline_array, handles, HANDLES),
	     M(drm_syncobj_timeline_array, points, POINTS),
	     M(drm_syncobj_timeline_array, flags, FLAGS, 1)),
	CORE(SYNCOBJ_TRANSFER, M(drm_syncobj_transfer, src_handle, HANDLE),
	     M(drm_syncobj_transfer, dst_handle, HANDLE),
	     M(drm_syncobj_transfer, src_point, BELOW, 4),
	     M(drm_syncobj_transfer, dst_point, BELOW, 4),
	     M(drm_syncobj_transfer, flags, FLAGS, 2)),
};

static struct {
	int file[FILES];	/* two of the first device, one of the second, a card */
	int fd[FDS];
	void *map[MAPS];
	size_t map_size[MAPS];
	uint64_t map_offset;	/* the last that was told */
	unsigned int fds;
	unsigned int maps;
} has;

static uint8_t *arrays;		/* the elements that pointers lead to */
static sigjmp_buf on_sigbus;

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The sources of a call's values */
struct draw {
	uint64_t state;
	uint8_t mood;
	unsigned int count;	/* of the next pointer's elements */
	size_t used;		/* of arrays */
	bool strict;		/* a reserved member of the struct itself is not zero */
};

static uint64_t any(struct draw *d, uint64_t n)
{
	return random_next(&d->state) % n;
}

static uint64_t odd_value(struct draw *d)
{
	static const uint64_t values[] = {
		1, 7, PAGE - 1, PAGE + 1, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32,
		1ULL << 63, -PAGE, UINT64_MAX, INT64_MAX, 0xdeadbeef000ULL,
	};

	return any(d, 2) ? values[any(d, ARRAY_SIZE(values))] : random_next(&d->state);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void fill(struct draw *d, const struct member *members, uint8_t *to);

static uint64_t pointer(struct draw *d, unsigned int kind)
{
	uint8_t *to = arrays + d->used;
	bool strict = d->strict;
	unsigned int i;

	for (i = 0; i < d->count; i++)
		fill(d, elements[kind].members, to + i * elements[kind].size);
	/* The count may turn out so odd that the kernel reads fewer. */
	d->strict = strict;
	d->used += ELEMENTS * elements[kind].size;
	return (uintptr_t)to;
}

static uint64_t value(struct draw *d, const struct member *m)
{
	switch (m->kind) {
	case HANDLE:
		return 1 + any(d, any(d, 4) ? 2 : 6);
	case FD:
		return has.fd[any(d, FDS)];
	case SIZE:
		return (1 + any(d, 8)) * PAGE;
	case OFFSET:
		return any(d, 4) * PAGE;
	case ADDR:
		return (1 << 20) + any(d, 16) * PAGE;
	case FLAGS:
		return random_next(&d->state) & m->limit;
	case BELOW:
		return any(d, m->limit);
	case TIMEOUT:
		return any(d, 2) ? 0 : now_ns() + any(d, 20000000);
	case COUNT:
		d->count = any(d, ELEMENTS + 1);
		return d->count;
	case OPS ... BYTES:
		return pointer(d, m->kind);
	}
	return 0;
}

static void fill(struct draw *d, const struct member *members, uint8_t *to)
{
	const struct member *m;
	uint64_t v;

	for (m = members; m->bytes; m++) {
		v = value(d, m);
		if (any(d, 256) < d->mood) {
			v = odd_value(d);
			if (m->kind == COUNT && m->limit)
				v %= m->limit;
			/* Bytes that must be zero, and are past the input's bytes */
			if (m->kind == STRICT && (m->bytes == 8 ? v : (uint32_t)v))
				d->strict = true;
		}
		memcpy(to + m->at, &v, m->bytes);
	}
}

static int some_file(struct draw *d)
{
	return has.file[any(d, 2) ? 0 : any(d, FILES)];
}

/* Record the results that a later call can use. */
static void keep_fd(int fd)
{
	int *slot = &has.fd[has.fds++ % FDS];

	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static void learn(unsigned long request, const void *arg)
{
	switch (request) {
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		keep_fd(((const struct drm_prime_handle *)arg)->fd);
		break;
	case DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD:
		keep_fd(((const struct drm_syncobj_handle *)arg)->fd);
		break;
	case DRM_IOCTL_SGPU_BO_MMAP_OFFSET:
		has.map_offset = ((const struct drm_sgpu_bo_mmap_offset *)arg)->offset;
		break;
	case DRM_IOCTL_MODE_MAP_DUMB:
		has.map_offset = ((const struct drm_mode_map_dumb *)arg)->offset;
		break;
	}
}

/* Errors are the driver's to choose, but they have to be errors of userspace. */
static const char *judge(int ret, int error)
{
	if (ret >= 0)
		return NULL;
	return error > 0 && error < 134 ? NULL : "an error that userspace must not see";
}

static const char *do_layout(struct draw *d, const struct layout *layout)
{
	uint8_t arg[128] = {};
	int ret, error;

	fill(d, layout->members, arg);
	ret = ioctl(some_file(d), layout->request, arg);
	error = errno;
	if (!ret)
		learn(layout->request, arg);
	if (!ret && d->strict)
		return "a reserved member that is not zero was accepted";
	return judge(ret, error);
}

/* Any number and any size: the core cuts, extends or refuses. */
static const char *do_raw(struct draw *d)
{
	uint32_t arg[64] = {};
	unsigned int i, size = 4 * any(d, ARRAY_SIZE(arg)), nr = any(d, 256);
	int ret;

	for (i = 0; i < size / 4; i++)
		if (any(d, 2))
			arg[i] = any(d, 256) < d->mood ? odd_value(d) : any(d, 8);
	/* Keep the number of syncobjs below MANY. */
	if (nr >= _IOC_NR(DRM_IOCTL_SYNCOBJ_CREATE))
		for (i = 0; i < size / 4; i++)
			arg[i] %= MANY;
	ret = ioctl(some_file(d), _IOC(any(d, 4), DRM_IOCTL_BASE, nr, size), arg);
	return judge(ret, errno);
}

static const char *do_mmap(struct draw *d)
{
	size_t size = (1 + any(d, 8)) * PAGE;
	bool odd = any(d, 256) < d->mood;
	int prot = any(d, 4) ? PROT_READ | PROT_WRITE : PROT_READ;
	int flags = odd ? MAP_PRIVATE : MAP_SHARED;
	int fd = any(d, 4) ? some_file(d) : has.fd[any(d, FDS)];
	uint64_t offset = any(d, 4) ? has.map_offset : any(d, 4) * PAGE;
	unsigned int i = has.maps++ % MAPS;
	void *map;

	map = mmap(NULL, size, prot, flags, fd, offset);
	if (map == MAP_FAILED)
		return judge(-1, errno);
	if (has.map[i])
		munmap(has.map[i], has.map_size[i]);
	has.map[i] = map;
	has.map_size[i] = size;
	return NULL;
}

static void sigbus(int signal)
{
	(void)signal;
	siglongjmp(on_sigbus, 1);
}

static const char *do_touch(struct draw *d)
{
	unsigned int i = any(d, MAPS);
	bool write = any(d, 2);
	uint8_t *p;
	size_t at;

	if (!has.map[i] || sigsetjmp(on_sigbus, 1))
		return NULL;
	for (at = 0; at < has.map_size[i]; at += PAGE) {
		p = (uint8_t *)has.map[i] + at;
		if (write)
			__atomic_store_n(p, at, __ATOMIC_RELAXED);
		else
			__atomic_load_n(p, __ATOMIC_RELAXED);
	}
	return NULL;
}

static const char *do_munmap(struct draw *d)
{
	unsigned int i = any(d, MAPS);

	/* Half of it, sometimes: the rest goes with the input. */
	if (has.map[i] && has.map_size[i] > PAGE && any(d, 2)) {
		munmap(has.map[i], PAGE);
		has.map[i] = (uint8_t *)has.map[i] + PAGE;
		has.map_size[i] -= PAGE;
	} else if (has.map[i]) {
		munmap(has.map[i], has.map_size[i]);
		has.map[i] = NULL;
	}
	return NULL;
}

static const char *do_dma_buf(struct draw *d)
{
	struct dma_buf_sync args = { .flags = any(d, 8) };
	struct { uint32_t flags; int32_t fd; } file = { .flags = 1 + any(d, 3) };
	int fd = has.fd[any(d, FDS)];
	int ret;

	switch (any(d, 3)) {
	case 0:
		return judge(ioctl(fd, DMA_BUF_IOCTL_SYNC, &args), errno);
	case 1:
		ret = ioctl(fd, _IOWR(DMA_BUF_BASE, 2, file), &file);
		if (!ret)
			keep_fd(file.fd);
		return judge(ret, errno);
	}
	file.fd = has.fd[any(d, FDS)];
	return judge(ioctl(fd, _IOW(DMA_BUF_BASE, 3, file), &file), errno);
}

static const char *do_close(struct draw *d)
{
	unsigned int i = any(d, FDS);

	if (has.fd[i] >= 0)
		close(has.fd[i]);
	has.fd[i] = -1;
	return NULL;
}

static const char *do_poll(struct draw *d)
{
	struct pollfd fd = { .fd = has.fd[any(d, FDS)], .events = any(d, 8) };

	poll(&fd, 1, any(d, 3));
	return NULL;
}

static void write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

/* The files stay, and have to bear it; the device that comes is another one. */
static const char *do_unplug(struct draw *d)
{
	const char *name = any(d, 2) ? "sgpu.0" : "sgpu.1";

	write_file(DRIVER_DIR "unbind", name);
	write_file(DRIVER_DIR "bind", name);
	return NULL;
}

/* Makes each shrinker of the kernel give back as much as it can. */
static const char *do_shrink(struct draw *d)
{
	(void)d;
	write_file("/proc/sys/vm/drop_caches", "2");
	return NULL;
}

static int open_node(const char *kind, unsigned int n)
{
	char path[64];
	int fd;

	/* Nodes are numbered anew after each unplug. */
	for (unsigned int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/dri/%s%u", kind, i + (*kind == 'r' ? 128 : 0));
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !n--)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static const char *do_reopen(struct draw *d)
{
	unsigned int i = any(d, FILES);

	if (has.file[i] >= 0)
		close(has.file[i]);
	has.file[i] = i == 3 ? open_node("card", 0) : open_node("renderD", i == 2);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*fn)(struct draw *d);
} others[] = {
	{ "ioctl", do_raw },
	{ "mmap", do_mmap },
	{ "touch", do_touch },
	{ "munmap", do_munmap },
	{ "dma_buf", do_dma_buf },
	{ "close", do_close },
	{ "poll", do_poll },
	{ "unplug", do_unplug },
	{ "reopen", do_reopen },
	{ "shrink", do_shrink },
};

const unsigned int num_calls = ARRAY_SIZE(layouts) + ARRAY_SIZE(others);

const char *call_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(layouts) ? layouts[kind].name :
					    others[kind - ARRAY_SIZE(layouts)].name;
}

bool calls_begin(void)
{
	static const struct sigaction action = { .sa_handler = sigbus };
	unsigned int i;

	if (!arrays) {
		arrays = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (arrays == MAP_FAILED)
			exit(1);
		sigaction(SIGBUS, &action, NULL);
		sigaction(SIGSEGV, &action, NULL);
	}
	memset(&has, 0, sizeof(has));
	for (i = 0; i < FDS; i++)
		has.fd[i] = -1;
	for (i = 0; i < FILES; i++)
		has.file[i] = i == 3 ? open_node("card", 0) : open_node("renderD", i == 2);
	return has.file[0] >= 0;
}

void calls_end(void)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (has.file[i] >= 0)
			close(has.file[i]);
	for (i = 0; i < MAPS; i++)
		if (has.map[i])
			munmap(has.map[i], has.map_size[i]);
	for (i = 0; i < FDS; i++)
		if (has.fd[i] >= 0)
			close(has.fd[i]);
}

const char *call_do(const struct call *call)
{
	struct draw d = { .state = call->seed, .mood = call->mood };

	if (call->kind < ARRAY_SIZE(layouts))
		return do_layout(&d, &layouts[call->kind]);
	return others[call->kind - ARRAY_SIZE(layouts)].fn(&d);
}
