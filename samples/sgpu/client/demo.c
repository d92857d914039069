// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The account of a file's way through two devices, and of what is left of the
 * first one for its client when it is unplugged.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
#define VA_SRC		0x040000000ULL
#define VA_DST		0x080000000ULL
#define VA_SUM		0x0c0000000ULL
#define VA_SPARSE	0x100000000ULL

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

static void must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "sgpu: %s: %s: %s\n", step, what, strerror(-ret));
	exit(1);
}

/* Prints what failed, and exits, because the demo cannot go on. */
#define MUST(call)	must(call, #call)

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* A stage whose GPU reads @imported, or else a buffer of its own */
static void stage_open(struct stage *s, uint32_t imported)
{
	int fd = s->dev.fd;

	MUST(vm_create(fd, &s->vm));
	MUST(syncobj_create(fd, &s->timeline));
	if (imported)
		s->src = (struct buffer) {
			.fd = fd, .handle = imported, .size = CHUNK,
		};
	else
		MUST(buffer_create(&s->src, fd, CHUNK));
	MUST(buffer_create(&s->dst, fd, CHUNK));
	MUST(buffer_create(&s->sum, fd, 1));

	MUST(bind_map(fd, s->vm, s->src.handle, 0, VA_SRC, CHUNK,
		      DRM_SGPU_BIND_READONLY));
	MUST(bind_map(fd, s->vm, s->dst.handle, 0, VA_DST, CHUNK, 0));
	MUST(bind_map(fd, s->vm, s->sum.handle, 0, VA_SUM, s->sum.size, 0));
}

/* Have the GPU copy @size bytes and add them to its checksum. */
static void stage_run(struct stage *s, uint64_t size)
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

	MUST(sgpu_exec(s->dev.fd, s->vm, cmds, ARRAY_SIZE(cmds), &done, 1, NULL));
	MUST(syncobj_wait_point(s->dev.fd, s->timeline, s->point));
	memcpy(&s->crc, s->sum.map, sizeof(s->crc));
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
		if (got[0] != got[1] || memcmp(data[0], data[1], got[0]))
			return -EBADMSG;
		*size += got[0];
	} while (got[0]);
	return 0;
}

static void carry(struct stage *a, struct stage *b, int in, int out)
{
	double start = seconds();
	uint64_t total = 0, size;
	uint32_t crc = 0;
	unsigned int chunks = 0;
	ssize_t got;

	step = "carrying the file";
	for (;; chunks++) {
		got = read_full(in, a->src.map, CHUNK);
		must(got, "reading INPUT");
		if (!got)
			break;
		crc = crc32_add(crc, a->src.map, got);
		total += got;

		stage_run(a, got);
		stage_run(b, got);
		if (a->crc != crc || b->crc != crc)
			must(-EBADMSG, "comparing checksums");

		MUST(write_full(out, b->dst.map, got));
	}
	MUST(compare(in, out, &size));

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
}

static void show(const char *what, int ret)
{
	printf("    %-42s %s\n", what, error_name(ret));
}

/* Keep the GPU busy for longer than it takes to unplug it: a sync file. */
static int start_long_job(struct stage *s)
{
	static struct drm_sgpu_cmd cmds[DRM_SGPU_MAX_CMDS];
	struct drm_sgpu_sync done = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct drm_sgpu_info info;
	unsigned int i;
	int sync_file;

	MUST(sgpu_info(s->dev.fd, &info));
	MUST(bind_range(s->dev.fd, s->vm, DRM_SGPU_BIND_SPARSE, VA_SPARSE,
			info.max_cmd_size));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL,
			.dst = VA_SPARSE,
			.size = info.max_cmd_size,
		};
	MUST(syncobj_create(s->dev.fd, &done.handle));
	MUST(sgpu_exec(s->dev.fd, s->vm, cmds, ARRAY_SIZE(cmds), &done, 1, NULL));
	MUST(syncobj_export(s->dev.fd, done.handle, &sync_file));
	return sync_file;
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
	show("BO_MADVISE", bo_madvise(fd, s->dst.handle, DRM_SGPU_MADV_DONTNEED));
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

static void unplug(struct stage *a, struct stage *b, uint64_t last)
{
	int sync_file, value, status;
	uint64_t first;
	uint32_t vmap;

	step = "unplugging";
	catch_sigbus();
	MUST(bo_vmap(a->dev.fd, a->src.handle, &vmap, &first));
	sync_file = start_long_job(a);

	printf("\n%s is unplugged while the client holds buffers, mappings, a kernel vmap,\n"
	       "an address space, a dma-buf, a timeline and a running job:\n",
	       a->dev.name);
	MUST(device_bind(a->dev.name, false));

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
		stage_run(b, last);
		printf("    %-42s ok, crc32 %08x\n",
		       "the other GPU reads the shared buffer", b->crc);
	}
}

static void stage_close(struct stage *s)
{
	/* Handles go with the file. */
	s->src.handle = 0;
	s->dst.handle = 0;
	s->sum.handle = 0;
	buffer_destroy(&s->src);
	buffer_destroy(&s->dst);
	buffer_destroy(&s->sum);
	device_close(&s->dev);
}

/* @devices is how many there were before the one called @name was unplugged. */
static void replug(const char *name, unsigned int devices)
{
	char text[128], expected[128];
	struct device dev;
	uint32_t vm;

	step = "closing";
	snprintf(expected, sizeof(expected),
		 "devices %u bos 0 vmaps 0 vms 0 jobs 0", devices - 1);
	if (!live_wait(expected, 5000)) {
		live_counts(text, sizeof(text));
		must(-EBUSY, text);
	}
	printf("\nAll closed; of %u devices and what they had the kernel still has: %s\n",
	       devices, expected);

	step = "plugging it in again";
	MUST(device_bind(name, true));
	MUST(device_open_name(&dev, name));
	MUST(vm_create(dev.fd, &vm));
	printf("%s is bound again: a new device, %s, and it works\n",
	       name, dev.node);
	device_close(&dev);
}

/* The first device that sysfs can unbind, and the first other one */
static bool open_two(struct stage *a, struct stage *b)
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
	return a->dev.fd >= 0 && b->dev.fd >= 0;
}

static void run(int in, int out)
{
	struct stage a = { .dev.fd = -1 }, b = { .dev.fd = -1 };
	char name[sizeof(a.dev.name)], live[128];
	unsigned int devices = 0;
	uint32_t imported;
	struct stat st;
	int prime;

	step = "finding two devices, one of them a platform device";
	if (live_counts(live, sizeof(live)))
		sscanf(live, "devices %u", &devices);
	if (!open_two(&a, &b))
		must(-ENODEV, "modprobe sgpu platform=2");
	printf("sgpu demo: %s (%s) and %s (%s)\n\n", a.dev.name, a.dev.node,
	       b.dev.name, b.dev.node);
	snprintf(name, sizeof(name), "%s", a.dev.name);

	step = "setting up";
	stage_open(&a, 0);
	if (drmPrimeHandleToFD(a.dev.fd, a.dst.handle, DRM_CLOEXEC, &prime))
		must(-errno, "PRIME export");
	if (drmPrimeFDToHandle(b.dev.fd, prime, &imported))
		must(-errno, "PRIME import");
	close(prime);
	stage_open(&b, imported);

	carry(&a, &b, in, out);
	MUST(fstat(in, &st));
	unplug(&a, &b, MIN((uint64_t)st.st_size, CHUNK));
	stage_close(&a);
	stage_close(&b);
	replug(name, devices);
}

static int bad_file(const char *which, const char *name, const char *why)
{
	fprintf(stderr, "sgpu: %s %s: %s\n", which, name, why);
	return 1;
}

int demo(const char *input, const char *output)
{
	struct stat st_in, st_out;
	int in, out;

	in = open(input, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st_in))
		return bad_file("INPUT", input, strerror(errno));
	if (!S_ISREG(st_in.st_mode))
		return bad_file("INPUT", input, "not a regular file");

	out = open(output, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (out < 0 || fstat(out, &st_out))
		return bad_file("OUTPUT", output, strerror(errno));
	if (st_in.st_dev == st_out.st_dev && st_in.st_ino == st_out.st_ino)
		return bad_file("OUTPUT", output, "the same file as INPUT");
	if (ftruncate(out, 0))
		return bad_file("OUTPUT", output, strerror(errno));

	run(in, out);
	return 0;
}
