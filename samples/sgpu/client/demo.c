// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The account of a file's way through two devices, and of what is left of the
 * first one for its client when it is unplugged.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "client.h"

#define CHUNK		(4ULL << 20)

/* GPU addresses: anywhere, but apart */
#define VA_SRC		(1ULL << 30)
#define VA_DST		(2ULL << 30)
#define VA_SUM		(3ULL << 30)
#define VA_SPARSE	(4ULL << 30)

/*
 * One end of the file's way: a device, an address space on it, a buffer that
 * its GPU reads, one that it writes, one for checksums, and a timeline.
 */
struct stage {
	struct device dev;
	uint32_t vm;
	struct buffer src;
	struct buffer dst;
	struct buffer sum;
	uint32_t timeline;
	uint64_t point;
	uint32_t crc;
};

static const char *step = "";

static int fail(int error, const char *what)
{
	fprintf(stderr, "sgpu: %s%s%s: %s\n", step, *step ? ": " : "", what,
		strerror(-error));
	return error;
}

#define TRY(call) do {						\
	int try_ret = (call);					\
								\
	if (try_ret < 0)					\
		return fail(try_ret, #call);			\
} while (0)

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* A stage whose GPU reads @imported, or else a buffer of its own */
static int stage_open(struct stage *s, uint32_t imported)
{
	int fd = s->dev.fd;

	TRY(vm_create(fd, &s->vm));
	TRY(syncobj_create(fd, &s->timeline));
	if (imported)
		s->src = (struct buffer) {
			.fd = fd, .handle = imported, .size = CHUNK,
		};
	else
		TRY(buffer_create(&s->src, fd, CHUNK));
	TRY(buffer_create(&s->dst, fd, CHUNK));
	TRY(buffer_create(&s->sum, fd, 1));

	TRY(bind_map(fd, s->vm, s->src.handle, 0, VA_SRC, CHUNK,
		     DRM_SGPU_BIND_READONLY));
	TRY(bind_map(fd, s->vm, s->dst.handle, 0, VA_DST, CHUNK, 0));
	TRY(bind_map(fd, s->vm, s->sum.handle, 0, VA_SUM, s->sum.size, 0));
	return 0;
}

/* Have the GPU copy @size bytes and add them to its checksum. */
static int stage_run(struct stage *s, uint64_t size)
{
	const struct drm_sgpu_cmd cmds[] = {
		{ .op = DRM_SGPU_CMD_COPY,
		  .src = VA_SRC, .dst = VA_DST, .size = size },
		{ .op = DRM_SGPU_CMD_CHECKSUM, .value = s->crc,
		  .src = VA_DST, .dst = VA_SUM, .size = size },
	};
	const struct drm_sgpu_sync done = {
		.handle = s->timeline,
		.flags = DRM_SGPU_SYNC_SIGNAL | DRM_SGPU_SYNC_TIMELINE,
		.point = ++s->point,
	};

	TRY(sgpu_exec(s->dev.fd, s->vm, cmds, ARRAY_SIZE(cmds), &done, 1, NULL));
	TRY(syncobj_wait_point(s->dev.fd, s->timeline, s->point));
	memcpy(&s->crc, s->sum.map, sizeof(s->crc));
	return 0;
}

/* Read up to @size bytes: fewer only at the end of the file. */
static ssize_t read_full(int fd, void *data, size_t size)
{
	size_t done = 0;
	ssize_t got;

	while (done < size) {
		got = read(fd, data + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += got;
	}
	return done;
}

static int write_full(int fd, const void *data, size_t size)
{
	ssize_t put;

	for (; size; data += put, size -= put) {
		put = write(fd, data, size);
		if (put < 0 && errno == EINTR)
			put = 0;
		if (put < 0)
			return -errno;
	}
	return 0;
}

static int compare(int a, int b, uint64_t *size)
{
	static uint8_t data[2][65536];
	ssize_t got[2];

	*size = 0;
	if (lseek(a, 0, SEEK_SET) || lseek(b, 0, SEEK_SET))
		return -errno;
	do {
		got[0] = read_full(a, data[0], sizeof(data[0]));
		got[1] = read_full(b, data[1], sizeof(data[1]));
		if (got[0] < 0 || got[1] < 0)
			return got[0] < 0 ? got[0] : got[1];
		if (got[0] != got[1] || memcmp(data[0], data[1], got[0])) {
			errno = EBADMSG;
			return -EBADMSG;
		}
		*size += got[0];
	} while (got[0]);
	return 0;
}

static int carry(struct stage *a, struct stage *b, int in, int out)
{
	double start = seconds();
	uint64_t total = 0, size;
	uint32_t crc = 0;
	unsigned int chunks = 0;
	ssize_t got;

	step = "carrying the file";
	for (;; chunks++) {
		got = read_full(in, a->src.map, CHUNK);
		if (got < 0)
			return fail(got, "reading INPUT");
		if (!got)
			break;
		crc = crc32_add(crc, a->src.map, got);
		total += got;

		if (stage_run(a, got) || stage_run(b, got))
			return -EIO;
		if (a->crc != crc || b->crc != crc)
			return fail(-EBADMSG, "comparing checksums");

		TRY(write_full(out, b->dst.map, got));
	}
	TRY(compare(in, out, &size));

	printf("  in       %" PRIu64 " bytes through mmap into buffers of %s, in %u chunk%s\n",
	       total, a->dev.name, chunks, chunks == 1 ? "" : "s");
	printf("  %s   GPU copied and checksummed: crc32 %08x\n",
	       a->dev.name, a->crc);
	printf("  prime    result exported by %s, imported by %s\n",
	       a->dev.name, b->dev.name);
	printf("  %s   GPU copied and checksummed: crc32 %08x\n",
	       b->dev.name, b->crc);
	printf("  client                               crc32 %08x\n", crc);
	printf("  out      %" PRIu64 " bytes, equal to the input byte by byte (%.1f s)\n",
	       size, seconds() - start);
	return 0;
}

static sigjmp_buf on_sigbus;

static void sigbus(int signal)
{
	(void)signal;
	siglongjmp(on_sigbus, 1);
}

/* What a read of a mapping gives: its first byte, or -EFAULT for SIGBUS */
static int peek(const void *map)
{
	if (sigsetjmp(on_sigbus, 1))
		return -EFAULT;
	return *(const volatile uint8_t *)map;
}

static void show(const char *what, int ret)
{
	printf("    %-42s %s\n", what, error_name(ret));
}

/* Keep the GPU busy for longer than it takes to unplug it. */
static int start_long_job(struct stage *s, int *sync_file)
{
	static struct drm_sgpu_cmd cmds[DRM_SGPU_MAX_CMDS];
	struct drm_sgpu_sync done = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct drm_sgpu_info info;
	unsigned int i;

	TRY(sgpu_info(s->dev.fd, &info));
	TRY(bind_range(s->dev.fd, s->vm, DRM_SGPU_BIND_SPARSE, VA_SPARSE,
		       info.max_cmd_size));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL,
			.dst = VA_SPARSE,
			.size = info.max_cmd_size,
		};
	TRY(syncobj_create(s->dev.fd, &done.handle));
	TRY(sgpu_exec(s->dev.fd, s->vm, cmds, ARRAY_SIZE(cmds), &done, 1, NULL));
	TRY(syncobj_export(s->dev.fd, done.handle, sync_file));
	return 0;
}

/* Every call on an unplugged device that the client still holds things of */
static void show_calls(struct stage *s, uint32_t vmap)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA_DST, .size = 1,
	};
	struct drm_sgpu_vm_fault fault;
	struct drm_sgpu_info info;
	uint64_t size = 1, first;
	uint32_t handle;
	int fd = s->dev.fd, prime;
	void *map;

	show("INFO", sgpu_info(fd, &info));
	show("BO_CREATE", bo_create(fd, &size, 0, &handle));
	show("BO_MMAP_OFFSET", bo_mmap(fd, s->dst.handle, CHUNK, &map));
	show("BO_VMAP", bo_vmap(fd, s->dst.handle, &handle, &first));
	show("BO_VUNMAP of the mapping that is held", bo_vunmap(fd, vmap));
	show("VM_CREATE", vm_create(fd, &handle));
	show("VM_BIND", bind_map(fd, s->vm, s->dst.handle, 0, VA_DST, CHUNK, 0));
	show("EXEC", sgpu_exec(fd, s->vm, &cmd, 1, NULL, 0, NULL));
	show("VM_FAULT", vm_fault(fd, s->vm, &fault));
	show("VM_DESTROY", vm_destroy(fd, s->vm));
	show("PRIME export",
	     drmPrimeHandleToFD(fd, s->dst.handle, DRM_CLOEXEC, &prime) ? -errno : 0);
	show("syncobj wait", syncobj_wait_point(fd, s->timeline, s->point));
	show("GEM_CLOSE", bo_close(fd, s->dst.handle));
}

static int unplug(struct stage *a, struct stage *b, uint64_t last)
{
	const struct sigaction action = { .sa_handler = sigbus };
	int sync_file, value, status;
	uint64_t first;
	uint32_t vmap;

	step = "unplugging";
	sigaction(SIGBUS, &action, NULL);
	TRY(bo_vmap(a->dev.fd, a->src.handle, &vmap, &first));
	if (start_long_job(a, &sync_file))
		return -EIO;

	printf("\n%s is unplugged while the client holds buffers, mappings, a kernel vmap,\n"
	       "an address space, a dma-buf, a timeline and a running job:\n",
	       a->dev.name);
	TRY(device_bind(a->dev.name, false));

	show_calls(a, vmap);
	status = sync_file_status(sync_file);
	show("the job that was running (sync file)", status > 0 ? 0 : status);
	close(sync_file);

	value = peek(a->src.map);
	printf("    %-42s %s\n", "read through the old mmap",
	       value < 0 ? "SIGBUS" : "ok, the old bytes");

	/* The other device has an attachment of its own. */
	b->crc = 0;
	if (last) {
		TRY(stage_run(b, last));
		printf("    %-42s ok, crc32 %08x\n",
		       "the other GPU reads the shared buffer", b->crc);
	}
	return 0;
}

static void stage_close(struct stage *s)
{
	struct device dev = s->dev;

	/* Handles go with the file. */
	s->src.handle = 0;
	s->dst.handle = 0;
	s->sum.handle = 0;
	buffer_destroy(&s->src);
	buffer_destroy(&s->dst);
	buffer_destroy(&s->sum);
	device_close(&dev);
	s->dev.fd = -1;
}

/* @devices is how many there were before the one called @name was unplugged. */
static int replug(const char *name, unsigned int devices)
{
	char text[128], expected[128];
	struct device dev;
	uint32_t vm;

	step = "closing";
	snprintf(expected, sizeof(expected),
		 "devices %u bos 0 vmaps 0 vms 0 jobs 0", devices - 1);
	if (!live_wait(expected, 5000)) {
		live_counts(text, sizeof(text));
		fprintf(stderr, "sgpu: something is left: %s\n", text);
		return -EBUSY;
	}
	printf("\nAll closed; of %u devices and what they had the kernel still has: %s\n",
	       devices, expected);

	step = "plugging it in again";
	TRY(device_bind(name, true));
	TRY(device_open_name(&dev, name));
	TRY(vm_create(dev.fd, &vm));
	printf("%s is bound again: a new device, %s, and it works\n",
	       name, dev.node);
	device_close(&dev);
	return 0;
}

/* The first device that sysfs can unbind, and the first other one */
static int open_two(struct stage *a, struct stage *b)
{
	struct device dev;
	unsigned int i;

	for (i = 0; !device_open(&dev, i); i++) {
		if (a->dev.fd < 0 && device_can_unbind(dev.name))
			a->dev = dev;
		else if (b->dev.fd < 0)
			b->dev = dev;
		else
			device_close(&dev);
	}
	return a->dev.fd < 0 || b->dev.fd < 0 ? -ENODEV : 0;
}

static int run(struct stage *a, struct stage *b, int in, int out)
{
	char name[sizeof(a->dev.name)];
	unsigned int devices = 0;
	uint32_t imported;
	char live[128];
	struct stat st;
	int prime, ret;

	if (live_counts(live, sizeof(live)))
		sscanf(live, "devices %u", &devices);
	if (open_two(a, b)) {
		fprintf(stderr, "sgpu: the demo needs two devices, one of them a platform device: modprobe sgpu platform=2\n");
		return -ENODEV;
	}
	printf("sgpu demo: %s (%s) and %s (%s)\n\n", a->dev.name, a->dev.node,
	       b->dev.name, b->dev.node);
	snprintf(name, sizeof(name), "%s", a->dev.name);

	step = "setting up";
	if (stage_open(a, 0))
		return -EIO;
	if (drmPrimeHandleToFD(a->dev.fd, a->dst.handle, DRM_CLOEXEC, &prime))
		return fail(-errno, "PRIME export");
	ret = drmPrimeFDToHandle(b->dev.fd, prime, &imported) ? -errno : 0;
	close(prime);
	if (ret)
		return fail(ret, "PRIME import");
	if (stage_open(b, imported))
		return -EIO;

	ret = carry(a, b, in, out);
	if (ret)
		return ret;

	fstat(in, &st);
	ret = unplug(a, b, MIN((uint64_t)st.st_size, CHUNK));
	if (ret)
		return ret;
	stage_close(a);
	stage_close(b);
	return replug(name, devices);
}

int demo(const char *input, const char *output)
{
	struct stage a = { .dev.fd = -1 }, b = { .dev.fd = -1 };
	struct stat st_in, st_out;
	int in, out, ret = 1;

	in = open(input, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st_in)) {
		fprintf(stderr, "sgpu: INPUT %s: %s\n", input, strerror(errno));
		return 1;
	}
	if (!S_ISREG(st_in.st_mode)) {
		fprintf(stderr, "sgpu: INPUT %s: not a regular file\n", input);
		return 1;
	}

	out = open(output, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (out < 0 || fstat(out, &st_out)) {
		fprintf(stderr, "sgpu: OUTPUT %s: %s\n", output, strerror(errno));
		return 1;
	}
	if (st_in.st_dev == st_out.st_dev && st_in.st_ino == st_out.st_ino)
		fprintf(stderr, "sgpu: INPUT and OUTPUT are the same file\n");
	else if (ftruncate(out, 0))
		fprintf(stderr, "sgpu: OUTPUT %s: %s\n", output, strerror(errno));
	else
		ret = run(&a, &b, in, out) ? 1 : 0;

	stage_close(&a);
	stage_close(&b);
	close(in);
	close(out);
	return ret;
}
