// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Checks of every call of the driver, with good and with bad input. Prints TAP.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "client.h"

#define VA	0x40000000ULL	/* where most tests bind */
#define VA_OUT	0x80000000ULL	/* where results go */
#define TRIES	6000	/* 10 ms apart, for what happens soon: only a hang needs so many */

static unsigned int checks, failures;

static void check(bool ok, int line, const char *what)
{
	checks++;
	failures += !ok;
	printf("%sok %u - %s (line %d)\n", ok ? "" : "not ", checks, what, line);
}

static void check_ret(long ret, long expected, int line, const char *what)
{
	check(ret == expected, line, what);
	if (ret != expected)
		printf("# got %ld (%s), expected %ld (%s)\n", ret,
		       error_name(ret), expected, error_name(expected));
}

#define CHECK(expr)		check(expr, __LINE__, #expr)
#define CHECK_RET(expr, ret)	check_ret(expr, ret, __LINE__, #expr " = " #ret)

/* The device, its limits, and an address space with a page for results */
static struct device dev;
static struct drm_sgpu_info info;
static uint64_t page;
static uint32_t vm;
static struct buffer out;

static uint8_t pattern(unsigned int seed, uint64_t i)
{
	return seed * 37 + i * 11 + i / 4096 * 101 + 1;
}

static int buffer_fill(struct buffer *bo, uint64_t size, unsigned int seed)
{
	int ret = buffer_create(bo, dev.fd, size);
	uint64_t i;

	for (i = 0; !ret && i < bo->size; i++)
		((uint8_t *)bo->map)[i] = pattern(seed, i);
	return ret;
}

static int exec_op(uint32_t id, uint32_t op, uint32_t value, uint64_t src,
		   uint64_t dst, uint64_t size)
{
	const struct drm_sgpu_cmd cmd = {
		.op = op, .value = value, .src = src, .dst = dst, .size = size,
	};

	return exec_wait(dev.fd, id, &cmd, 1);
}

/* The byte at a GPU address, or the error of the job that read it */
static int read_byte(uint64_t addr)
{
	int ret = exec_op(vm, DRM_SGPU_CMD_COPY, 0, addr, VA_OUT, 1);

	return ret ? ret : *(uint8_t *)out.map;
}

static int write_byte(uint64_t addr, uint8_t value)
{
	return exec_op(vm, DRM_SGPU_CMD_FILL, value, 0, addr, 1);
}

static void test_info(void)
{
	struct drm_sgpu_info bad = { .pad = 1 };

	CHECK_RET(sgpu_info(dev.fd, &info), 0);
	page = info.page_size;
	CHECK((long)page == sysconf(_SC_PAGESIZE));
	CHECK(info.va_start < info.va_end && info.max_cmd_size);
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_INFO, &bad), -EINVAL);
	CHECK_RET(sgpu_call(dev.fd, DRM_IOWR(DRM_COMMAND_BASE + 0x3f, int), &bad),
		  -EINVAL);
}

static int try_create(uint64_t size, uint32_t flags, uint32_t *handle)
{
	return bo_create(dev.fd, &size, flags, handle);
}

static void test_bo(void)
{
	struct drm_sgpu_bo_mmap_offset bad_pad = { .pad = 1 };
	struct drm_gem_close close = {};
	uint64_t size = 1, first;
	uint32_t handle = 0, wc = 0, id;
	void *map;
	int ret;

	CHECK_RET(bo_create(dev.fd, &size, 0, &handle), 0);
	CHECK(size == page && handle);
	CHECK_RET(bo_mmap(dev.fd, handle, size, &map), 0);
	CHECK(*(uint64_t *)map == 0);
	memset(map, 0x5a, size);
	CHECK(((uint8_t *)map)[size - 1] == 0x5a);

	bad_pad.handle = handle;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_BO_MMAP_OFFSET, &bad_pad),
		  -EINVAL);
	CHECK_RET(bo_close(dev.fd, handle), 0);
	CHECK(((uint8_t *)map)[size - 1] == 0x5a);
	munmap(map, size);
	CHECK_RET(bo_mmap(dev.fd, handle, size, &map), -ENOENT);
	close.handle = handle;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_GEM_CLOSE, &close), -EINVAL);

	CHECK_RET(try_create(0, 0, &handle), -EINVAL);
	CHECK_RET(try_create(page, 2, &handle), -EINVAL);
	CHECK(try_create(UINT64_MAX, 0, &handle) < 0);
	CHECK(try_create(UINT64_MAX - page + 1, 0, &handle) < 0);
	CHECK(try_create(1ULL << 63, 0, &handle) < 0);

	/* A size of 64 bits is not cut, and there are addresses for all of it. */
	size = 0x100001000;
	ret = bo_create(dev.fd, &size, 0, &handle);
	CHECK(ret < 0 || size == 0x100000000 + page);
	if (!ret)
		CHECK_RET(bo_close(dev.fd, handle), 0);
	CHECK_RET(try_create(info.va_end - info.va_start + 1, 0, &handle), -EINVAL);

	/* More memory than the machine has: no page is allocated. */
	size = info.va_end - info.va_start;
	if (!bo_create(dev.fd, &size, 0, &handle)) {
		CHECK_RET(bo_vmap(dev.fd, handle, &id, &first), -ENOMEM);
		CHECK_RET(bo_mmap(dev.fd, handle, page, &map), -ENOMEM);
		CHECK_RET(bo_close(dev.fd, handle), 0);
	}

	CHECK_RET(try_create(3 * page, DRM_SGPU_BO_WC, &wc), 0);
	CHECK_RET(bo_mmap(dev.fd, wc, 3 * page, &map), 0);
	memset(map, 1, 3 * page);
	munmap(map, 3 * page);
	CHECK_RET(bo_close(dev.fd, wc), 0);
}

/* Returns the kernel's count of this client's memory, in bytes, or -1. */
static int64_t fdinfo(const char *stat, const char *region)
{
	char path[64], line[256], key[64], unit[4];
	long long value, bytes = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev.fd);
	snprintf(key, sizeof(key), "drm-%s-%s:", stat, region);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unit[0] = '\0';
		if (strncmp(line, key, strlen(key)) ||
		    sscanf(line + strlen(key), " %lld %3s", &value, unit) < 1)
			continue;
		bytes = value << (unit[0] == 'K' ? 10 : unit[0] == 'M' ? 20 : 0);
	}
	if (f)
		fclose(f);
	return bytes;
}

/* The client counts its own buffers. */
static void test_fdinfo(void)
{
	const int64_t total = fdinfo("total", "memory"), shared = fdinfo("shared", "memory");
	const int64_t resident = fdinfo("resident", "memory");
	struct buffer bo;
	int prime = -1;

	CHECK(total >= (int64_t)out.size && shared >= 0 && resident >= 0);
	CHECK(fdinfo("total", "imported") == 0);
	CHECK_RET(buffer_fill(&bo, 3 * page, 1), 0);
	CHECK(fdinfo("total", "memory") == total + (int64_t)bo.size);
	CHECK(fdinfo("resident", "memory") == resident + (int64_t)bo.size);
	CHECK(fdinfo("shared", "memory") == shared);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC | DRM_RDWR, &prime));
	CHECK(fdinfo("shared", "memory") == shared + (int64_t)bo.size);
	CHECK(fdinfo("purgeable", "memory") == 0 && fdinfo("active", "memory") >= 0);
	close(prime);
	buffer_destroy(&bo);
	CHECK(fdinfo("total", "memory") == total && fdinfo("resident", "memory") == resident);
}

static void test_vmap(void)
{
	struct drm_sgpu_bo_vunmap bad = { .pad = 1 };
	struct buffer bo;
	uint64_t first = 0;
	uint32_t ids[2] = {};

	CHECK_RET(buffer_fill(&bo, page, 3), 0);
	CHECK_RET(bo_vmap(dev.fd, bo.handle, &ids[0], &first), 0);
	CHECK(!memcmp(&first, bo.map, sizeof(first)));
	CHECK_RET(bo_vmap(dev.fd, bo.handle, &ids[1], &first), 0);
	CHECK(ids[0] && ids[0] != ids[1]);
	buffer_destroy(&bo);
	CHECK_RET(bo_vunmap(dev.fd, ids[0]), 0);
	CHECK_RET(bo_vunmap(dev.fd, ids[0]), -ENOENT);
	bad.id = ids[1];
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_BO_VUNMAP, &bad), -EINVAL);
	CHECK_RET(bo_vunmap(dev.fd, ids[1]), 0);
	CHECK_RET(bo_vmap(dev.fd, 0x7fffffff, &ids[0], &first), -ENOENT);
}

static void test_vm(void)
{
	struct drm_sgpu_vm_create bad_create = { .pad = 1 };
	struct drm_sgpu_vm_destroy bad_destroy = { .pad = 1 };
	struct drm_sgpu_vm_fault fault;
	struct device other;
	uint32_t id = 0;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK(id && id != vm);
	CHECK_RET(vm_fault(dev.fd, id, &fault), 0);
	CHECK(!fault.count && fault.kind == DRM_SGPU_FAULT_NONE);

	bad_destroy.id = id;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_CREATE, &bad_create),
		  -EINVAL);
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_DESTROY, &bad_destroy),
		  -EINVAL);

	/* Another file has other address spaces. */
	CHECK_RET(device_open_name(&other, dev.name), 0);
	CHECK_RET(vm_destroy(other.fd, id), -ENOENT);
	CHECK_RET(vm_fault(other.fd, id, &fault), -ENOENT);
	device_close(&other);

	CHECK_RET(vm_destroy(dev.fd, id), 0);
	CHECK_RET(vm_destroy(dev.fd, id), -ENOENT);
	CHECK_RET(vm_fault(dev.fd, id, &fault), -ENOENT);
	CHECK_RET(vm_destroy(dev.fd, 0), -ENOENT);
}

static int try_bind(struct drm_sgpu_bind_op op)
{
	return vm_bind(dev.fd, vm, &op, 1, NULL, 0);
}

static void test_bind_input(void)
{
	const struct drm_sgpu_bind_op good = {
		.op = DRM_SGPU_BIND_UNMAP, .addr = VA, .size = page,
	};
	struct drm_sgpu_vm_bind args = {
		.vm_id = vm, .ops = (uintptr_t)&good, .op_count = 1,
	};
	struct drm_sgpu_bind_op op = { .op = DRM_SGPU_BIND_MAP };
	struct buffer bo;

	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_BIND, &args), 0);
	CHECK(args.job);
	args.pad = 1;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_BIND, &args), -EINVAL);
	args.pad = 0;
	args.vm_id = 0x7fffffff;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_BIND, &args), -ENOENT);

	CHECK_RET(vm_bind(dev.fd, vm, &good, 0, NULL, 0), -EINVAL);
	CHECK_RET(vm_bind(dev.fd, vm, &good, DRM_SGPU_MAX_OPS + 1, NULL, 0),
		  -EINVAL);
	CHECK_RET(vm_bind(dev.fd, vm, &good, UINT32_MAX, NULL, 0), -EINVAL);
	CHECK_RET(vm_bind(dev.fd, vm, NULL, 1, NULL, 0), -EFAULT);
	args.vm_id = vm;
	args.ops |= 1ULL << 63;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_VM_BIND, &args), -EFAULT);
	CHECK_RET(vm_bind(dev.fd, vm, &good, 1, NULL, 1), -EFAULT);

	CHECK_RET(buffer_create(&bo, dev.fd, 4 * page), 0);
	op.handle = bo.handle;
	op.addr = VA;
	op.size = 4 * page;

#define BAD(change, error) do {					\
	struct drm_sgpu_bind_op good_op = op;			\
								\
	change;							\
	CHECK_RET(try_bind(op), error);				\
	op = good_op;						\
} while (0)
	CHECK_RET(try_bind(op), 0);
	BAD(op.pad = 1, -EINVAL);
	BAD(op.op = 3, -EINVAL);
	BAD(op.flags = 2, -EINVAL);
	BAD(op.handle = 0, -ENOENT);
	BAD(op.handle = 0x7fffffff, -ENOENT);
	BAD(op.size = 0, -EINVAL);
	BAD(op.size = page + 1, -EINVAL);
	BAD(op.size = 5 * page, -EINVAL);
	BAD(op.size = UINT64_MAX - page + 1, -EINVAL);
	BAD(op.addr = VA + 1, -EINVAL);
	BAD(op.addr = 0, -EINVAL);
	BAD(op.addr = info.va_start - page, -EINVAL);
	BAD(op.addr = info.va_end, -EINVAL);
	BAD(op.addr = info.va_end - page, -EINVAL);
	BAD(op.addr = UINT64_MAX - page + 1, -EINVAL);
	BAD(op.offset = 1, -EINVAL);
	BAD(op.offset = page, -EINVAL);
	BAD(op.offset = UINT64_MAX - page + 1, -EINVAL);
	BAD(op.op = DRM_SGPU_BIND_UNMAP, -EINVAL);
	op.handle = 0;
	op.op = DRM_SGPU_BIND_SPARSE;
	BAD(op.flags = DRM_SGPU_BIND_READONLY, -EINVAL);
	BAD(op.offset = page, -EINVAL);
	BAD(op.size = info.va_end, -EINVAL);
	BAD(op.size = 0, -EINVAL);
	op.op = DRM_SGPU_BIND_UNMAP;
	CHECK_RET(try_bind(op), 0);
#undef BAD
	buffer_destroy(&bo);
}

/* Nothing of a batch is done if one of its operations is bad. */
static void test_bind_batch(void)
{
	struct drm_sgpu_bind_op ops[] = {
		{ .op = DRM_SGPU_BIND_SPARSE, .addr = VA, .size = 4 * page },
		{ .op = DRM_SGPU_BIND_UNMAP, .addr = VA + 2 * page, .size = page },
		{ .op = 7, .addr = VA, .size = page },
	};

	CHECK_RET(vm_bind(dev.fd, vm, ops, 3, NULL, 0), -EINVAL);
	CHECK_RET(read_byte(VA), -EFAULT);
	CHECK_RET(vm_bind(dev.fd, vm, ops, 2, NULL, 0), 0);
	CHECK_RET(read_byte(VA + page), 0);
	CHECK_RET(read_byte(VA + 2 * page), -EFAULT);
	CHECK_RET(read_byte(VA + 3 * page), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 4 * page), 0);
	CHECK_RET(read_byte(VA), -EFAULT);
}

/* The limit for one VM_BIND: all addresses once, and DRM_SGPU_MAX_REACH. */
static void test_bind_work(void)
{
	static struct drm_sgpu_bind_op ops[DRM_SGPU_MAX_OPS];
	const uint64_t size = 2 * DRM_SGPU_MAX_REACH / DRM_SGPU_MAX_OPS;
	uint32_t id, handle;
	unsigned int i;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	ops[0] = (struct drm_sgpu_bind_op) {
		.op = DRM_SGPU_BIND_SPARSE,
		.addr = info.va_start, .size = info.va_end - info.va_start,
	};
	ops[1] = (struct drm_sgpu_bind_op) {
		.op = DRM_SGPU_BIND_UNMAP, .addr = VA, .size = page,
	};
	CHECK_RET(vm_bind(dev.fd, id, ops, 2, NULL, 0), -E2BIG);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), -EFAULT);
	CHECK_RET(vm_bind(dev.fd, id, ops, 1, NULL, 0), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), 0);
	ops[0].op = DRM_SGPU_BIND_UNMAP;
	CHECK_RET(vm_bind(dev.fd, id, ops, 1, NULL, 0), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), -EFAULT);

	/* The last page of a buffer is as far away as it gets. */
	CHECK_RET(try_create(size, 0, &handle), 0);
	for (i = 0; i < DRM_SGPU_MAX_OPS; i++)
		ops[i] = (struct drm_sgpu_bind_op) {
			.op = DRM_SGPU_BIND_MAP, .handle = handle,
			.offset = size - page, .addr = VA, .size = page,
		};
	CHECK_RET(vm_bind(dev.fd, id, ops, DRM_SGPU_MAX_OPS / 2 + 1, NULL, 0), -E2BIG);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), -EFAULT);
	CHECK_RET(vm_bind(dev.fd, id, ops, DRM_SGPU_MAX_OPS / 2, NULL, 0), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), 0);
	CHECK_RET(bo_close(dev.fd, handle), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
}

/*
 * An operation for each of @count pages that are @apart, from page @first of VA on. Maps all map
 * the first page of @handle.
 */
static int bind_pages(uint32_t id, uint32_t op, uint32_t handle, unsigned int first,
		      unsigned int apart, unsigned int count)
{
	static struct drm_sgpu_bind_op ops[DRM_SGPU_MAX_OPS];
	static struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++)
		ops[i] = (struct drm_sgpu_bind_op) {
			.op = op, .handle = handle,
			.addr = VA + (first + i * apart) * page, .size = page,
		};
	ret = sync.handle ? 0 : syncobj_create(dev.fd, &sync.handle);
	if (!ret)
		ret = vm_bind(dev.fd, id, ops, count, &sync, 1);
	return ret ? ret : syncobj_wait(dev.fd, sync.handle);
}

static int bind_page(uint32_t id, uint32_t op, unsigned int nr)
{
	return bind_pages(id, op, 0, nr, 1, 1);
}

/* The same for as many pages as can be, in batches that get smaller; returns how many */
static unsigned int bind_until_full(uint32_t id, uint32_t op, unsigned int first,
				    unsigned int apart)
{
	unsigned int n = 0, step = DRM_SGPU_MAX_OPS;
	int ret;

	while (step) {
		ret = bind_pages(id, op, 0, first + n * apart, apart, step);
		if (!ret) {
			n += step;
			continue;
		}
		if (ret != -ENOSPC)
			break;
		step /= 2;
	}
	CHECK_RET(ret, -ENOSPC);
	return n;
}

/* At the limit of mappings, a refused map changes nothing, and unmaps succeed. */
static void test_bind_count(void)
{
	/* The last one needed three, and is one. */
	const unsigned int most = DRM_SGPU_MAX_VAS - DRM_SGPU_MAX_VAS / 8 - 2;
	uint32_t id, other;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(vm_create(dev.fd, &other), 0);
	CHECK(bind_until_full(id, DRM_SGPU_BIND_SPARSE, 0, 1) == most);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA + (most - 1) * page, 1), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA + most * page, 1), -EFAULT);
	CHECK_RET(bind_page(other, DRM_SGPU_BIND_SPARSE, 0), 0);
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_SPARSE, 5), -ENOSPC);
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_UNMAP, 5), 0);
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_SPARSE, 5), 0);
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_SPARSE, most), -ENOSPC);

	/* Unmaps that split a mapping in two, until these would exceed the limit, too */
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_UNMAP, 0), 0);
	CHECK_RET(bind_range(dev.fd, id, DRM_SGPU_BIND_SPARSE, VA_OUT, info.va_end - VA_OUT), 0);
	CHECK(bind_until_full(id, DRM_SGPU_BIND_UNMAP, (VA_OUT - VA) / page + 1, 2) ==
	      DRM_SGPU_MAX_VAS - 1 - most);
	CHECK_RET(bind_page(id, DRM_SGPU_BIND_SPARSE, 0), -ENOSPC);
	CHECK_RET(bind_range(dev.fd, id, DRM_SGPU_BIND_UNMAP, info.va_start,
			     info.va_end - info.va_start), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA + page, 1), -EFAULT);
	CHECK_RET(bind_pages(id, DRM_SGPU_BIND_SPARSE, 0, 0, 1, DRM_SGPU_MAX_OPS), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	CHECK_RET(vm_destroy(dev.fd, other), 0);
}

static int try_exec(struct drm_sgpu_cmd cmd)
{
	return sgpu_exec(dev.fd, vm, &cmd, 1, NULL, 0, NULL);
}

static void test_exec_input(void)
{
	const struct drm_sgpu_cmd good = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA_OUT, .size = 1,
	};
	struct drm_sgpu_cmd cmd = good;
	uint64_t job[2] = {};

	CHECK_RET(sgpu_exec(dev.fd, vm, &good, 1, NULL, 0, &job[0]), 0);
	CHECK_RET(sgpu_exec(dev.fd, vm, &good, 1, NULL, 0, &job[1]), 0);
	CHECK(job[1] == job[0] + 1);
	CHECK_RET(sgpu_exec(dev.fd, vm, &good, 0, NULL, 0, NULL), -EINVAL);
	CHECK_RET(sgpu_exec(dev.fd, vm, &good, DRM_SGPU_MAX_CMDS + 1, NULL, 0,
			    NULL), -EINVAL);
	CHECK_RET(sgpu_exec(dev.fd, 0x7fffffff, &good, 1, NULL, 0, NULL),
		  -ENOENT);
	CHECK_RET(sgpu_exec(dev.fd, vm, NULL, 1, NULL, 0, NULL), -EFAULT);
	CHECK_RET(sgpu_exec(dev.fd, vm, &good, 1, NULL, DRM_SGPU_MAX_SYNCS + 1,
			    NULL), -EINVAL);

#define BAD(change) do {					\
	change;							\
	CHECK_RET(try_exec(cmd), -EINVAL);			\
	cmd = good;						\
} while (0)
	BAD(cmd.op = 3);
	BAD(cmd.size = 0);
	BAD(cmd.size = info.max_cmd_size + 1);
	BAD(cmd.size = UINT64_MAX);
	BAD(cmd.value = 256);
	BAD(cmd.src = VA);
	BAD(cmd.dst = UINT64_MAX);
	BAD((cmd.op = DRM_SGPU_CMD_COPY, cmd.value = 1));
	BAD((cmd.op = DRM_SGPU_CMD_COPY, cmd.src = UINT64_MAX));
	BAD((cmd.op = DRM_SGPU_CMD_CHECKSUM, cmd.dst = UINT64_MAX - 3));
#undef BAD
}

static void test_commands(void)
{
	struct buffer src, dst;
	uint32_t crc;
	uint8_t *d;

	CHECK_RET(buffer_fill(&src, 8 * page, 5), 0);
	CHECK_RET(buffer_create(&dst, dev.fd, 8 * page), 0);
	d = dst.map;
	CHECK_RET(bind_map(dev.fd, vm, src.handle, 0, VA, 8 * page, 0), 0);
	CHECK_RET(bind_map(dev.fd, vm, dst.handle, 0, VA + 8 * page, 8 * page,
			   0), 0);

	/* Unaligned on both sides, over page boundaries */
	CHECK_RET(exec_op(vm, DRM_SGPU_CMD_COPY, 0, VA + 17, VA + 8 * page + 5,
			  6 * page), 0);
	CHECK(!memcmp(d + 5, src.map + 17, 6 * page));
	CHECK(!d[4] && !d[6 * page + 5]);

	CHECK_RET(exec_op(vm, DRM_SGPU_CMD_FILL, 0xa5, 0, VA + 9 * page - 1, 2),
		  0);
	CHECK(d[page - 1] == 0xa5 && d[page] == 0xa5);
	CHECK(d[page - 2] == ((uint8_t *)src.map)[page + 10]);

	CHECK_RET(exec_op(vm, DRM_SGPU_CMD_CHECKSUM, 0, VA + 3, VA_OUT + 1,
			  8 * page - 3), 0);
	memcpy(&crc, out.map + 1, sizeof(crc));
	CHECK(crc == crc32_add(0, src.map + 3, 8 * page - 3));
	CHECK_RET(exec_op(vm, DRM_SGPU_CMD_CHECKSUM, crc, VA, VA_OUT, page), 0);
	CHECK(*(uint32_t *)out.map == crc32_add(crc, src.map, page));
	CHECK(crc32_add(0, "123456789", 9) == 0xcbf43926);

	/* A buffer that is bound stays without its handle. */
	crc = crc32_add(0, src.map, src.size);
	buffer_destroy(&src);
	CHECK_RET(exec_op(vm, DRM_SGPU_CMD_CHECKSUM, 0, VA, VA_OUT, 8 * page), 0);
	CHECK(*(uint32_t *)out.map == crc);

	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 16 * page), 0);
	buffer_destroy(&dst);
}

static void test_faults(void)
{
	const struct drm_sgpu_cmd cmds[] = {
		{ .op = DRM_SGPU_CMD_FILL, .value = 1, .dst = VA_OUT, .size = 1 },
		{ .op = DRM_SGPU_CMD_FILL, .value = 2, .dst = VA, .size = 2 * page },
		{ .op = DRM_SGPU_CMD_FILL, .value = 3, .dst = VA_OUT, .size = 1 },
	};
	struct drm_sgpu_vm_fault fault;
	struct buffer bo;
	uint32_t count, id;
	uint64_t job;

	CHECK_RET(buffer_fill(&bo, page, 7), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page, 0), 0);
	CHECK_RET(vm_fault(dev.fd, vm, &fault), 0);
	count = fault.count;

	/* The second command reaches an unmapped address, and ends the job. */
	CHECK_RET(exec_wait(dev.fd, vm, cmds, 3), -EFAULT);
	CHECK(*(uint8_t *)out.map == 1 && *(uint8_t *)bo.map == 2);
	CHECK_RET(vm_fault(dev.fd, vm, &fault), 0);
	CHECK(fault.kind == DRM_SGPU_FAULT_WRITE && fault.cmd == 1);
	CHECK(fault.addr == VA + page && fault.count == count + 1);
	CHECK_RET(sgpu_exec(dev.fd, vm, cmds, 1, NULL, 0, &job), 0);
	CHECK(job == fault.job + 1);

	CHECK_RET(read_byte(0), -EFAULT);
	CHECK_RET(read_byte(info.va_end - 1), -EFAULT);
	CHECK_RET(read_byte(info.va_end), -EFAULT);
	CHECK_RET(read_byte(UINT64_MAX - 1), -EFAULT);
	CHECK_RET(vm_fault(dev.fd, vm, &fault), 0);
	CHECK(fault.kind == DRM_SGPU_FAULT_READ);
	CHECK(fault.addr == UINT64_MAX - 1 && fault.count == count + 5);

	/* Read-only */
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page,
			   DRM_SGPU_BIND_READONLY), 0);
	CHECK_RET(read_byte(VA), 2);
	CHECK_RET(write_byte(VA, 9), -EFAULT);
	CHECK(*(uint8_t *)bo.map == 2);

	/* Another address space has neither the mapping nor the fault. */
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), -EFAULT);
	CHECK_RET(vm_fault(dev.fd, id, &fault), 0);
	CHECK(fault.count == 1);
	CHECK_RET(vm_destroy(dev.fd, id), 0);

	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, page), 0);
	buffer_destroy(&bo);
}

/* Sparse ranges: large, split, and with holes */
static void test_sparse(void)
{
	const uint64_t size = 1ULL << 34, middle = VA_OUT + size / 2 + 5 * page;
	const uint64_t start = VA_OUT + 64 * page;
	struct buffer bo;

	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_SPARSE, start, size), 0);
	CHECK_RET(read_byte(start - 1), -EFAULT);
	CHECK_RET(read_byte(start), 0);
	CHECK_RET(write_byte(middle, 1), 0);
	CHECK_RET(read_byte(middle), 0);
	CHECK_RET(read_byte(start + size - 1), 0);
	CHECK_RET(read_byte(start + size), -EFAULT);

	CHECK_RET(buffer_fill(&bo, page, 9), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, middle, page, 0), 0);
	CHECK_RET(read_byte(middle), pattern(9, 0));
	CHECK_RET(read_byte(middle - 1), 0);
	CHECK_RET(read_byte(middle + page), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, middle - page,
			     2 * page), 0);
	CHECK_RET(read_byte(middle - page - 1), 0);
	CHECK_RET(read_byte(middle - page), -EFAULT);
	CHECK_RET(read_byte(middle), -EFAULT);
	CHECK_RET(read_byte(middle + page), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, start, size), 0);
	CHECK_RET(read_byte(start), -EFAULT);
	CHECK_RET(read_byte(start + size - 1), -EFAULT);
	buffer_destroy(&bo);
}

/*
 * Random changes of a small window, and after each of them what the GPU sees
 * of every page, compared with an array.
 */
#define MODEL_PAGES	24
#define MODEL_BOS	3
#define MODEL_STEPS	150

struct model_page {
	enum { NOTHING, SPARSE, MAPPED } kind;
	bool readonly;
	unsigned int bo, page;
};

static bool model_sees(const struct model_page *p, struct buffer *bos,
		       uint8_t byte)
{
	const uint8_t *map = bos[p->bo].map;

	return byte == (p->kind == SPARSE ? 0 : map[p->page * page + 3]);
}

/* All that is mapped, by one job, and one page of any kind by two more */
static int model_check(const struct model_page *model, struct buffer *bos)
{
	struct drm_sgpu_cmd cmds[MODEL_PAGES];
	const struct model_page *p;
	unsigned int i, n = 0;
	int ret;

	for (i = 0; i < MODEL_PAGES; i++) {
		if (model[i].kind != NOTHING)
			cmds[n++] = (struct drm_sgpu_cmd) {
				.op = DRM_SGPU_CMD_COPY, .size = 1,
				.src = VA + i * page + 3, .dst = VA_OUT + i,
			};
	}
	ret = n ? exec_wait(dev.fd, vm, cmds, n) : 0;
	for (i = 0; i < MODEL_PAGES && !ret; i++) {
		if (model[i].kind != NOTHING &&
		    !model_sees(&model[i], bos, ((uint8_t *)out.map)[i]))
			ret = i + 1;
	}
	if (ret)
		return ret;

	i = rand() % MODEL_PAGES;
	p = &model[i];
	ret = read_byte(VA + i * page + 3);
	if (p->kind == NOTHING ? ret != -EFAULT :
				 ret < 0 || !model_sees(p, bos, ret))
		return i + 1;
	ret = write_byte(VA + i * page, 1);
	if (p->kind == NOTHING || (p->kind == MAPPED && p->readonly))
		return ret != -EFAULT;
	return ret;
}

static int model_step(struct model_page *model, struct buffer *bos)
{
	unsigned int first = rand() % MODEL_PAGES, i;
	unsigned int n = 1 + rand() % (MODEL_PAGES - first);
	unsigned int kind = rand() % 4, bo = rand() % MODEL_BOS;
	unsigned int offset = rand() % (MODEL_PAGES - n + 1);
	bool readonly = rand() % 2;
	int ret;

	if (kind >= MAPPED)
		ret = bind_map(dev.fd, vm, bos[bo].handle, offset * page,
			       VA + first * page, n * page, readonly);
	else
		ret = bind_range(dev.fd, vm, kind == SPARSE ?
				 DRM_SGPU_BIND_SPARSE : DRM_SGPU_BIND_UNMAP,
				 VA + first * page, n * page);

	for (i = 0; i < n; i++)
		model[first + i] = (struct model_page) {
			kind < MAPPED ? kind : MAPPED, readonly, bo, offset + i,
		};
	return ret;
}

static void test_model(void)
{
	struct model_page model[MODEL_PAGES] = {};
	struct buffer bos[MODEL_BOS];
	unsigned int i;
	int ret = 0;

	srand(1);
	for (i = 0; i < MODEL_BOS; i++)
		CHECK_RET(buffer_fill(&bos[i], MODEL_PAGES * page, 20 + i), 0);
	for (i = 0; i < MODEL_STEPS && !ret; i++) {
		ret = model_step(model, bos);
		if (!ret)
			ret = model_check(model, bos);
	}
	CHECK_RET(ret, 0);
	CHECK(i == MODEL_STEPS);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA,
			     MODEL_PAGES * page), 0);
	for (i = 0; i < MODEL_BOS; i++)
		buffer_destroy(&bos[i]);
}

static void test_syncs(void)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .value = 4, .dst = VA_OUT, .size = page,
	};
	struct drm_sgpu_sync syncs[2] = {};
	uint32_t binary, timeline, id;
	uint64_t points[3] = {};

	CHECK_RET(syncobj_create(dev.fd, &binary), 0);
	CHECK_RET(syncobj_create(dev.fd, &timeline), 0);

#define TRY(n)	sgpu_exec(dev.fd, vm, &cmd, 1, syncs, n, NULL)
	syncs[0].handle = 0x7fffffff;
	CHECK_RET(TRY(1), -ENOENT);
	syncs[0].flags = DRM_SGPU_SYNC_SIGNAL;
	CHECK_RET(TRY(1), -ENOENT);
	syncs[0].handle = binary;
	syncs[0].flags = 4;
	CHECK_RET(TRY(1), -EINVAL);
	syncs[0].flags = DRM_SGPU_SYNC_SIGNAL;
	syncs[0].point = 1;
	CHECK_RET(TRY(1), -EINVAL);
	syncs[0].flags = DRM_SGPU_SYNC_SIGNAL | DRM_SGPU_SYNC_TIMELINE;
	syncs[0].point = 0;
	CHECK_RET(TRY(1), -EINVAL);
	syncs[0].flags = 0;
	CHECK_RET(TRY(1), -EINVAL);	/* never to be signalled */

	/* A chain: bind signals 1, job waits for 1 and signals 2 and a binary */
	syncs[0] = (struct drm_sgpu_sync) {
		.handle = timeline, .point = 1,
		.flags = DRM_SGPU_SYNC_SIGNAL | DRM_SGPU_SYNC_TIMELINE,
	};
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(vm_bind(dev.fd, id, &(struct drm_sgpu_bind_op) {
			.op = DRM_SGPU_BIND_MAP, .handle = out.handle,
			.addr = VA_OUT, .size = page }, 1, syncs, 1), 0);
	syncs[0].flags = DRM_SGPU_SYNC_TIMELINE;
	syncs[1] = (struct drm_sgpu_sync) {
		.handle = timeline, .point = 2,
		.flags = DRM_SGPU_SYNC_SIGNAL | DRM_SGPU_SYNC_TIMELINE,
	};
	CHECK_RET(sgpu_exec(dev.fd, id, &cmd, 1, syncs, 2, NULL), 0);
	CHECK_RET(syncobj_wait_point(dev.fd, timeline, 2), 0);
	CHECK(*(uint8_t *)out.map == 4);
	CHECK(!drmSyncobjQuery(dev.fd, &timeline, points, 1) && points[0] == 2);

	/* A job of one address space waits for a job of another. */
	syncs[0] = (struct drm_sgpu_sync) {
		.handle = binary, .flags = DRM_SGPU_SYNC_SIGNAL,
	};
	CHECK_RET(sgpu_exec(dev.fd, id, &cmd, 1, syncs, 1, NULL), 0);
	syncs[0].flags = 0;
	syncs[1].point = 3;
	CHECK_RET(TRY(2), 0);
	CHECK_RET(syncobj_wait_point(dev.fd, timeline, 3), 0);
	CHECK_RET(syncobj_status(dev.fd, binary), 0);
#undef TRY

	CHECK_RET(vm_destroy(dev.fd, id), 0);
	drmSyncobjDestroy(dev.fd, binary);
	drmSyncobjDestroy(dev.fd, timeline);
}

/* Jobs that did not start are cancelled with their address space. */
static void test_destroy_busy(void)
{
	static struct drm_sgpu_cmd cmds[32];
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	uint32_t id;
	int i, ret;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(bind_range(dev.fd, id, DRM_SGPU_BIND_SPARSE, VA, 1 << 20), 0);
	for (i = 0; i < 32; i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = 1 << 20,
		};
	for (i = 0; i < 8; i++)
		CHECK_RET(sgpu_exec(dev.fd, id, cmds, 32, &sync, 1, NULL), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	ret = syncobj_status(dev.fd, sync.handle);
	CHECK(ret == 0 || ret == -ESRCH);
	CHECK_RET(write_byte(VA_OUT, 1), 0);
	drmSyncobjDestroy(dev.fd, sync.handle);
}

/* Have the engine work for minutes, unless the job is ended before. */
static int exec_long(int fd, uint32_t id, uint32_t syncobj)
{
	static struct drm_sgpu_cmd cmds[DRM_SGPU_MAX_CMDS];
	const struct drm_sgpu_sync sync = {
		.flags = DRM_SGPU_SYNC_SIGNAL, .handle = syncobj,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = 1 << 30,
		};
	ret = bind_range(fd, id, DRM_SGPU_BIND_SPARSE, VA, 1 << 30);
	return ret ? ret : sgpu_exec(fd, id, cmds, ARRAY_SIZE(cmds), &sync, 1, NULL);
}

static int bind_sync(int fd, uint32_t id, uint32_t syncobj)
{
	const struct drm_sgpu_bind_op op = {
		.op = DRM_SGPU_BIND_SPARSE, .addr = VA, .size = page,
	};
	const struct drm_sgpu_sync sync = {
		.flags = DRM_SGPU_SYNC_SIGNAL, .handle = syncobj,
	};

	return vm_bind(fd, id, &op, 1, &sync, 1);
}

/* Everything that does not take the engine, in an address space of its own */
static void use_all_but_engine(void)
{
	struct buffer bo;
	uint64_t first;
	uint32_t id, vmap;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(buffer_fill(&bo, page, 60), 0);
	CHECK_RET(bind_map(dev.fd, id, bo.handle, 0, VA, page, 0), 0);
	CHECK_RET(bo_vmap(dev.fd, bo.handle, &vmap, &first), 0);
	CHECK_RET(bo_vunmap(dev.fd, vmap), 0);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_WILLNEED), 1);
	CHECK_RET(bind_range(dev.fd, id, DRM_SGPU_BIND_UNMAP, VA, page), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	buffer_destroy(&bo);
}

/* A client whose job does not end keeps no other client from anything. */
static void test_others_wait_for_nobody(void)
{
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .value = 5, .dst = VA_OUT, .size = 1,
	};
	struct device other;
	uint32_t id, long_job, behind;

	CHECK_RET(device_open_name(&other, dev.name), 0);
	CHECK_RET(vm_create(other.fd, &id), 0);
	CHECK_RET(syncobj_create(other.fd, &long_job), 0);
	CHECK_RET(syncobj_create(other.fd, &behind), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(exec_long(other.fd, id, long_job), 0);
	CHECK_RET(bind_sync(other.fd, id, behind), 0);

	use_all_but_engine();
	CHECK_RET(sgpu_exec(dev.fd, vm, &cmd, 1, &sync, 1, NULL), 0);
	CHECK(syncobj_pending(other.fd, long_job));
	CHECK(syncobj_pending(other.fd, behind));

	/* It ends with its address space, and the engine is free. */
	CHECK_RET(vm_destroy(other.fd, id), 0);
	CHECK_RET(syncobj_status(other.fd, long_job), -ESRCH);
	CHECK_RET(syncobj_status(other.fd, behind), -ESRCH);
	CHECK_RET(syncobj_status(dev.fd, sync.handle), 0);
	drmSyncobjDestroy(dev.fd, sync.handle);
	device_close(&other);
}

/* Submit a job that takes long, say so, and wait to be killed. */
static void victim(int syncobj_fd, int ready)
{
	struct device own;
	uint32_t id, handle;

	if (device_open_name(&own, dev.name) || vm_create(own.fd, &id) ||
	    drmSyncobjFDToHandle(own.fd, syncobj_fd, &handle) ||
	    exec_long(own.fd, id, handle) || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* A client that is killed ends, and so do its jobs. */
static void test_killed(void)
{
	uint32_t handle;
	int syncobj_fd, ready[2], status = 0;
	pid_t pid;
	char byte;

	CHECK_RET(syncobj_create(dev.fd, &handle), 0);
	CHECK(!drmSyncobjHandleToFD(dev.fd, handle, &syncobj_fd));
	CHECK(!pipe(ready));
	pid = fork();
	if (!pid)
		victim(syncobj_fd, ready[1]);
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(syncobj_pending(dev.fd, handle));
	CHECK(!kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK_RET(syncobj_status(dev.fd, handle), -ESRCH);
	CHECK_RET(write_byte(VA_OUT, 1), 0);
	close(ready[0]);
	close(syncobj_fd);
	drmSyncobjDestroy(dev.fd, handle);
}

/* Memory of a client counts until it is freed, which is a moment later. */
static int vm_create_soon(uint32_t *id)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i, ret = -EBUSY;

	for (i = 0; i < TRIES && ret == -EBUSY; i++) {
		ret = vm_create(dev.fd, id);
		if (ret == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return ret;
}

static void test_limits(void)
{
	static uint32_t ids[DRM_SGPU_MAX_VMS + 1], vmaps[DRM_SGPU_MAX_VMAPS + 1];
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = 1,
	};
	struct drm_sgpu_sync wait = {};
	struct device other;
	struct buffer bo;
	uint32_t id, syncobj;
	uint64_t first;
	unsigned int i, n;
	int ret;

	CHECK_RET(device_open_name(&other, dev.name), 0);
	for (n = 0; !vm_create(other.fd, &ids[n]) && n < DRM_SGPU_MAX_VMS; n++)
		;
	CHECK(n == DRM_SGPU_MAX_VMS);
	CHECK_RET(vm_create(other.fd, &id), -EBUSY);
	/* Other clients' files do not count. */
	CHECK_RET(vm_create_soon(&id), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	CHECK_RET(vm_destroy(other.fd, ids[7]), 0);
	CHECK_RET(vm_create(other.fd, &ids[7]), 0);

	/* Jobs of all address spaces together; none of them runs before the first ends */
	CHECK_RET(syncobj_create(other.fd, &syncobj), 0);
	CHECK_RET(exec_long(other.fd, ids[0], syncobj), 0);
	wait.handle = syncobj;
	for (n = 0; n <= DRM_SGPU_MAX_JOBS; n++) {
		ret = sgpu_exec(other.fd, ids[n % 2], &cmd, 1, &wait, 1, NULL);
		if (ret)
			break;
	}
	CHECK_RET(ret, -EBUSY);
	CHECK(n < DRM_SGPU_MAX_JOBS);
	CHECK(n >= DRM_SGPU_MAX_JOBS - 2);	/* the bind's, perhaps not freed yet */
	CHECK_RET(bind_sync(other.fd, ids[2], syncobj), -EBUSY);
	CHECK(syncobj_pending(other.fd, syncobj));
	CHECK_RET(vm_destroy(other.fd, ids[0]), 0);
	CHECK_RET(syncobj_status(other.fd, syncobj), -ESRCH);
	device_close(&other);

	CHECK_RET(buffer_create(&bo, dev.fd, page), 0);
	for (n = 0; n < ARRAY_SIZE(vmaps); n++) {
		ret = bo_vmap(dev.fd, bo.handle, &vmaps[n], &first);
		if (ret)
			break;
	}
	CHECK_RET(ret, -EBUSY);
	CHECK(n == DRM_SGPU_MAX_VMAPS);
	for (i = 0, ret = 0; i < n && !ret; i++)
		ret = bo_vunmap(dev.fd, vmaps[i]);
	CHECK_RET(ret, 0);
	buffer_destroy(&bo);
}

/* A bind that hangs: no client waits for it but in its address space. */
static void test_hang(void)
{
	struct drm_sgpu_bind_op map = { .op = DRM_SGPU_BIND_MAP, .addr = VA };
	uint64_t size = page;
	struct device other;
	uint32_t id, hung, behind;

	CHECK_RET(device_open_name(&other, dev.name), 0);
	CHECK_RET(vm_create(other.fd, &id), 0);
	CHECK_RET(bo_create(other.fd, &size, 0, &map.handle), 0);
	map.size = size;
	CHECK_RET(syncobj_create(other.fd, &hung), 0);
	CHECK_RET(syncobj_create(other.fd, &behind), 0);
	CHECK(fault_order("hang_bind", 0, 1));
	CHECK_RET(bind_sync(other.fd, id, hung), 0);
	CHECK_RET(bind_sync(other.fd, id, behind), 0);
	CHECK_RET(vm_bind(other.fd, id, &map, 1, NULL, 0), 0);
	CHECK(fault_taken("hang_bind"));
	/* A bind that has not run does not keep its buffer. */
	CHECK_RET(bo_madvise(other.fd, map.handle, DRM_SGPU_MADV_PAGEOUT), 1);
	use_all_but_engine();
	CHECK_RET(write_byte(VA_OUT, 3), 0);
	CHECK(syncobj_pending(other.fd, hung));
	CHECK(syncobj_pending(other.fd, behind));
	CHECK_RET(vm_destroy(other.fd, id), 0);
	CHECK_RET(syncobj_status(other.fd, hung), -ESRCH);
	CHECK_RET(syncobj_status(other.fd, behind), -ESRCH);
	device_close(&other);
}

/* One that takes too long ends. Only the hung job is in a VM with a short limit. */
static void test_hang_times_out(void)
{
	const unsigned long timeout = device_timeout();
	uint32_t id, hung;

	CHECK_RET(device_set_timeout(100), 0);
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(device_set_timeout(timeout), 0);
	CHECK_RET(syncobj_create(dev.fd, &hung), 0);
	CHECK(fault_order("hang_bind", 0, 1));
	CHECK_RET(bind_sync(dev.fd, id, hung), 0);
	CHECK_RET(syncobj_status(dev.fd, hung), -ETIME);
	/* If the guest stood still, the job can be late before it hangs. */
	fault_order("hang_bind", 0, 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	drmSyncobjDestroy(dev.fd, hung);
}

/* The jobs after one that took too long are done. No other job comes near the VM's limit. */
static void test_late_is_alone(void)
{
	uint32_t id, late, behind;

	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(syncobj_create(dev.fd, &late), 0);
	CHECK_RET(syncobj_create(dev.fd, &behind), 0);
	CHECK(fault_order("late_bind", 0, 1));
	CHECK_RET(bind_sync(dev.fd, id, late), 0);
	CHECK_RET(bind_sync(dev.fd, id, behind), 0);
	CHECK_RET(syncobj_status(dev.fd, late), -ETIME);
	CHECK_RET(syncobj_status(dev.fd, behind), 0);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 0, 0, VA, 1), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	drmSyncobjDestroy(dev.fd, late);
	drmSyncobjDestroy(dev.fd, behind);
}

/* Returns how often a sleeping task began to sleep, -1 if it runs, or -2 if it does not exist. */
static long task_sleep(pid_t pid)
{
	char path[64], line[128], state = '?';
	long n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "State:\t", 7))
			state = line[7];
		else if (!strncmp(line, "voluntary_ctxt_switches:", 24))
			n = strtol(line + 24, NULL, 10);
	}
	if (file)
		fclose(file);
	return state == 'S' || state == 'D' ? n : state == 'R' ? -1 : -2;
}

/* Wait until a task sleeps for long, as one does that waits for a lock which is held. */
static bool task_sleeps(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	long last = -1, now;
	int i, same = 0;

	for (i = 0; i < TRIES && same < 50; i++) {
		nanosleep(&pause, NULL);
		now = task_sleep(pid);
		if (now == -2)
			return false;
		same = now >= 0 && now == last ? same + 1 : 0;
		last = now;
	}
	return same == 50;
}

static bool ends_soon(pid_t pid, int *status)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	for (i = 0; i < TRIES; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Is a client gone soon after it was killed? */
static bool killed_ends(pid_t pid)
{
	int status;

	return !kill(pid, SIGKILL) && ends_soon(pid, &status) && WIFSIGNALED(status);
}

/* A buffer is not evicted while a worker still has to put its mappings. */
static int gets_evicted(uint32_t handle)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i, ret = -EBUSY;

	for (i = 0; i < TRIES && ret == -EBUSY; i++) {
		ret = bo_madvise(dev.fd, handle, DRM_SGPU_MADV_PAGEOUT);
		if (ret == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return ret;
}

/* A client that uses a buffer, bound at VA, until it is killed */
static int victim_binds(const struct buffer *bo)
{
	return bind_map(dev.fd, vm, bo->handle, 0, VA, page, 0);
}

static int victim_binds_both(const struct buffer *bo)
{
	struct drm_sgpu_bind_op ops[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct drm_sgpu_bind_op) {
			.op = DRM_SGPU_BIND_MAP, .handle = bo->handle,
			.offset = i * page, .addr = VA + i * page, .size = page,
		};
	return vm_bind(dev.fd, vm, ops, ARRAY_SIZE(ops), NULL, 0);
}

/* Tables of three parts of the page table */
static int victim_binds_far(const struct buffer *bo)
{
	(void)bo;
	return bind_range(dev.fd, vm, DRM_SGPU_BIND_SPARSE, 0x4000000000ULL, 1ULL << 31);
}

static int victim_unbinds(const struct buffer *bo)
{
	(void)bo;
	return bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA + 8 * page, page);
}

static int victim_executes(const struct buffer *bo)
{
	(void)bo;
	return write_byte(VA_OUT, 1);
}

static int victim_maps(const struct buffer *bo)
{
	uint64_t first;
	uint32_t id;

	return bo_vmap(dev.fd, bo->handle, &id, &first);
}

/* A mapping that its parent has made */
static uint32_t mapped;

static int victim_unmaps(const struct buffer *bo)
{
	(void)bo;
	return bo_vunmap(dev.fd, mapped);
}

static int victim_asks_offset(const struct buffer *bo)
{
	struct drm_sgpu_bo_mmap_offset args = { .handle = bo->handle };

	return sgpu_call(dev.fd, DRM_IOCTL_SGPU_BO_MMAP_OFFSET, &args);
}

static int victim_advises(const struct buffer *bo)
{
	return bo_madvise(dev.fd, bo->handle, DRM_SGPU_MADV_DONTNEED);
}

static int victim_evicts(const struct buffer *bo)
{
	return bo_madvise(dev.fd, bo->handle, DRM_SGPU_MADV_PAGEOUT);
}

/* A mapping that the parent did not touch: fork() copies the page tables of others. */
static uint8_t *untouched;

static int victim_reads(const struct buffer *bo)
{
	(void)bo;
	return peek(untouched);
}

static pid_t victim_start(int (*call)(const struct buffer *bo), const struct buffer *bo)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(call(bo));
}

/* One that stops where the fault says until it is killed */
static pid_t victim_holds(const char *fault, int (*call)(const struct buffer *bo),
			  const struct buffer *bo)
{
	pid_t pid;

	CHECK(fault_order(fault, 0, 1));
	pid = victim_start(call, bo);
	CHECK(fault_taken(fault));
	return pid;
}

/* It ends there, and does not go on to where it would stop again. */
static void victim_ends(const char *fault, pid_t pid)
{
	CHECK(fault_order(fault, 0, 1));
	CHECK(killed_ends(pid));
	CHECK(fault_left(fault) == 1);
	CHECK(fault_order(fault, 0, 0));
}

/*
 * A client that is killed while it waits for a lock ends, although the lock is held. One that is
 * killed while it binds does not go on to its next operation.
 */
static void test_killed_for_lock(const struct buffer *bo)
{
	int (* const calls[])(const struct buffer *bo) = {
		victim_binds, victim_executes, victim_maps, victim_asks_offset,
		victim_advises, victim_evicts, victim_reads,
	};
	pid_t victims[ARRAY_SIZE(calls)];
	pid_t holds = victim_holds("hold_locks", victim_binds_both, bo);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		victims[i] = victim_start(calls[i], bo);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		CHECK(task_sleeps(victims[i]));
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		CHECK(killed_ends(victims[i]));
	victim_ends("hold_locks", holds);
}

/* The same for one that is about to end the last mapping of the kernel: the mapping stays. */
static void test_killed_for_unmap(const struct buffer *bo)
{
	pid_t holds, unmaps;
	uint64_t first;

	CHECK_RET(bo_vmap(dev.fd, bo->handle, &mapped, &first), 0);
	holds = victim_holds("hold_locks", victim_binds_both, bo);
	unmaps = victim_start(victim_unmaps, bo);
	CHECK(task_sleeps(unmaps));
	CHECK(killed_ends(unmaps));
	victim_ends("hold_locks", holds);
	CHECK_RET(bo_vunmap(dev.fd, mapped), 0);
	CHECK_RET(bo_vunmap(dev.fd, mapped), -ENOENT);
}

static void ignore(int sig)
{
	(void)sig;
}

/* Returns 0 if a signal ends the call, and changes nothing: libdrm repeats it with its args. */
static int victim_is_interrupted(const struct buffer *bo)
{
	struct drm_sgpu_bo_vmap args = { .handle = bo->handle };
	struct sigaction action = { .sa_handler = ignore };

	if (sigaction(SIGUSR1, &action, NULL))
		return 2;
	return ioctl(dev.fd, DRM_IOCTL_SGPU_BO_VMAP, &args) != -1 || errno != EINTR || args.id ||
	       args.first;
}

static void test_interrupted_map(const struct buffer *bo)
{
	pid_t holds = victim_holds("hold_locks", victim_binds_both, bo);
	pid_t maps = victim_start(victim_is_interrupted, bo);
	int status = -1;

	CHECK(task_sleeps(maps));
	CHECK(!kill(maps, SIGUSR1));
	CHECK(ends_soon(maps, &status) && !status);
	victim_ends("hold_locks", holds);
}

/* Have the kernel map a buffer, say so, and wait to be killed. */
static void victim_keeps_map(int bo_fd, int ready)
{
	struct device own;
	uint32_t handle, id;
	uint64_t first;

	if (device_open_name(&own, dev.name) || drmPrimeFDToHandle(own.fd, bo_fd, &handle) ||
	    bo_vmap(own.fd, handle, &id, &first) || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* The same for one that still has such a mapping: the close of its file waits for no lock. */
static void test_killed_with_map(void)
{
	pid_t keeps, holds;
	struct buffer bo;
	int bo_fd, ready[2];
	char byte;

	CHECK_RET(buffer_fill(&bo, 2 * page, 75), 0);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC, &bo_fd));
	CHECK(!pipe(ready));
	keeps = fork();
	if (!keeps)
		victim_keeps_map(bo_fd, ready[1]);
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	holds = victim_holds("hold_locks", victim_binds_both, &bo);
	CHECK(killed_ends(keeps));
	victim_ends("hold_locks", holds);
	close(ready[0]);
	close(bo_fd);
	buffer_destroy(&bo);
}

/* A command that adds tables to a page table stops, too. */
static void test_killed_for_tables(const struct buffer *bo)
{
	victim_ends("hold_tables", victim_holds("hold_tables", victim_binds_far, bo));
}

/* An EXEC brings back one mapping after the other. */
static void test_killed_for_map(const struct buffer *bo)
{
	CHECK_RET(gets_evicted(bo->handle), 1);
	victim_ends("hold_map", victim_holds("hold_map", victim_executes, bo));
	CHECK_RET(read_byte(VA + page), pattern(73, page));
}

/* It takes the lock of the VM, which a job holds while it makes a change of it. */
static void test_killed_for_vm(const struct buffer *bo)
{
	pid_t holds, executes;

	CHECK_RET(gets_evicted(bo->handle), 1);
	holds = victim_holds("hold_vm", victim_unbinds, bo);
	executes = victim_start(victim_executes, bo);
	CHECK(task_sleeps(executes));
	CHECK(killed_ends(executes));
	CHECK(killed_ends(holds));
	CHECK_RET(read_byte(VA), pattern(73, 0));
}

static void test_killed_while_waiting(void)
{
	struct buffer bo;

	CHECK_RET(buffer_fill(&bo, 2 * page, 73), 0);
	/* A buffer that has pages already: a client that was killed gets none. */
	CHECK_RET(victim_binds_both(&bo), 0);
	CHECK_RET(read_byte(VA), pattern(73, 0));
	CHECK_RET(bo_mmap(dev.fd, bo.handle, bo.size, (void **)&untouched), 0);
	test_killed_for_lock(&bo);
	test_killed_for_unmap(&bo);
	test_interrupted_map(&bo);
	test_killed_with_map();
	test_killed_for_tables(&bo);
	test_killed_for_map(&bo);
	test_killed_for_vm(&bo);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 2 * page), 0);
	munmap(untouched, bo.size);
	buffer_destroy(&bo);
}

/* Unplug does not wait for one. */
static void test_hang_unplugged(void)
{
	struct device other;
	uint32_t id, hung;

	if (device_open(&other, 1) || !device_can_unbind(other.name)) {
		printf("# there is no second device to unplug\n");
		device_close(&other);
		return;
	}
	CHECK_RET(vm_create(other.fd, &id), 0);
	CHECK_RET(syncobj_create(other.fd, &hung), 0);
	CHECK(fault_order("hang_bind", 0, 1));
	CHECK_RET(bind_sync(other.fd, id, hung), 0);
	CHECK(fault_taken("hang_bind"));
	CHECK_RET(device_bind(other.name, false), 0);
	CHECK_RET(syncobj_status(other.fd, hung), -ENODEV);
	CHECK_RET(vm_destroy(other.fd, id), -ENODEV);
	CHECK_RET(device_bind(other.name, true), 0);
	device_close(&other);
}

/* Waits for a lock of the exporter, which holds it, in a bind or in BO_VMAP */
static pid_t import_waits(int fd, uint32_t id, uint32_t handle)
{
	uint64_t first;
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(-(id ? bind_map(fd, id, handle, 0, VA, page, 0) :
		     bo_vmap(fd, handle, &id, &first)));
}

/* A call that waits for the lock of another device's buffer does not block it, either. */
static void test_import_unplugged(void)
{
	pid_t holds, binds, maps, unplugs;
	struct device other;
	struct buffer bo;
	uint32_t id, handle;
	int bo_fd, status = -1;

	if (device_open(&other, 1) || !device_can_unbind(other.name)) {
		device_close(&other);
		return;
	}
	CHECK_RET(buffer_fill(&bo, 2 * page, 74), 0);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC, &bo_fd));
	CHECK(!drmPrimeFDToHandle(other.fd, bo_fd, &handle));
	CHECK_RET(vm_create(other.fd, &id), 0);
	holds = victim_holds("hold_locks", victim_binds_both, &bo);
	binds = import_waits(other.fd, id, handle);
	maps = import_waits(other.fd, 0, handle);
	CHECK(task_sleeps(binds));
	CHECK(task_sleeps(maps));
	unplugs = fork();
	if (!unplugs)
		_exit(-device_bind(other.name, false));
	CHECK(ends_soon(unplugs, &status) && !status);
	CHECK(killed_ends(maps));
	CHECK(killed_ends(holds));
	/* The bind gets the lock, but the device is gone. */
	CHECK(ends_soon(binds, &status) && WEXITSTATUS(status) == ENODEV);
	CHECK_RET(device_bind(other.name, true), 0);
	close(bo_fd);
	device_close(&other);
	buffer_destroy(&bo);
}

/* The third of several operations fails: the first two stay, and the VM goes on. */
static void test_bind_fails(void)
{
	struct drm_sgpu_bind_op ops[4] = {};
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct buffer before, bo;
	unsigned int i;

	CHECK_RET(buffer_fill(&before, 4 * page, 70), 0);
	CHECK_RET(buffer_fill(&bo, 4 * page, 71), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(bind_map(dev.fd, vm, before.handle, 0, VA, 4 * page, 0), 0);
	for (i = 0; i < 4; i++)
		ops[i] = (struct drm_sgpu_bind_op) {
			.op = DRM_SGPU_BIND_MAP, .handle = bo.handle,
			.offset = i * page, .addr = VA + i * page, .size = page,
		};
	CHECK(fault_order("fail_map", 2, 1));
	CHECK_RET(vm_bind(dev.fd, vm, ops, 4, &sync, 1), 0);
	CHECK_RET(syncobj_status(dev.fd, sync.handle), -EIO);
	CHECK_RET(read_byte(VA), pattern(71, 0));
	CHECK_RET(read_byte(VA + page), pattern(71, page));
	CHECK_RET(read_byte(VA + 2 * page), pattern(70, 2 * page));
	CHECK_RET(read_byte(VA + 3 * page), pattern(70, 3 * page));
	CHECK_RET(vm_bind(dev.fd, vm, ops, 4, NULL, 0), 0);
	CHECK_RET(read_byte(VA + 2 * page), pattern(71, 2 * page));
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 4 * page), 0);
	drmSyncobjDestroy(dev.fd, sync.handle);
	buffer_destroy(&before);
	buffer_destroy(&bo);
}

/* A VM whose page table could not be put back is not used any more. */
static void test_broken(void)
{
	const struct drm_sgpu_cmd cmd = {
		.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = 4 * page,
	};
	struct drm_sgpu_bind_op op = {
		.op = DRM_SGPU_BIND_MAP, .addr = VA, .size = 4 * page,
	};
	struct drm_sgpu_sync gate = {}, sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct buffer bo;
	uint32_t id, before;

	CHECK_RET(buffer_fill(&bo, 4 * page, 72), 0);
	CHECK_RET(vm_create(dev.fd, &before), 0);
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(syncobj_create(dev.fd, &gate.handle), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(bind_map(dev.fd, id, bo.handle, 0, VA, 4 * page, 0), 0);

	/*
	 * The same pages at the same place, once more; and commands behind that, which are
	 * submitted while the VM is whole, because the bind waits.
	 */
	op.handle = bo.handle;
	CHECK_RET(exec_long(dev.fd, before, gate.handle), 0);
	CHECK(fault_order("fail_map", 0, 2));
	CHECK_RET(vm_bind(dev.fd, id, &op, 1, &gate, 1), 0);
	CHECK_RET(sgpu_exec(dev.fd, id, &cmd, 1, &sync, 1, NULL), 0);
	CHECK(syncobj_pending(dev.fd, gate.handle));
	CHECK_RET(vm_destroy(dev.fd, before), 0);
	CHECK_RET(syncobj_status(dev.fd, sync.handle), -ENOTRECOVERABLE);
	CHECK_RET(*(uint8_t *)bo.map, pattern(72, 0));

	CHECK_RET(exec_wait(dev.fd, id, &cmd, 1), -ENOTRECOVERABLE);
	CHECK_RET(vm_bind(dev.fd, id, &op, 1, NULL, 0), -ENOTRECOVERABLE);
	CHECK_RET(bind_range(dev.fd, id, DRM_SGPU_BIND_UNMAP, VA, page), -ENOTRECOVERABLE);
	CHECK_RET(write_byte(VA_OUT, 1), 0);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	buffer_destroy(&bo);
}

static void test_hardware_faults(void)
{
	if (!fault_order("fail_map", 0, 0)) {
		printf("# this kernel has no faults to order\n");
		return;
	}
	test_hang();
	test_hang_times_out();
	test_late_is_alone();
	test_killed_while_waiting();
	test_hang_unplugged();
	test_import_unplugged();
	test_bind_fails();
	test_broken();
	fault_order("fail_map", 0, 0);
	fault_order("hang_bind", 0, 0);
	fault_order("late_bind", 0, 0);
}

static void test_dumb(void)
{
	char *node = drmGetPrimaryDeviceNameFromFd(dev.fd);
	struct drm_mode_create_dumb create = {
		.width = 33, .height = 5, .bpp = 32,
	};
	struct drm_mode_map_dumb map = {};
	struct drm_mode_destroy_dumb destroy = {};
	struct drm_mode_create_dumb huge = {
		.width = UINT32_MAX, .height = UINT32_MAX, .bpp = 32,
	};
	uint32_t id;
	int fd;
	void *p;

	CHECK(node);
	if (!node)
		return;
	fd = open(node, O_RDWR | O_CLOEXEC);
	free(node);
	CHECK(fd >= 0);
	CHECK_RET(sgpu_call(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	CHECK(create.pitch >= 33 * 4 && create.size >= 5 * create.pitch);
	CHECK(sgpu_call(fd, DRM_IOCTL_MODE_CREATE_DUMB, &huge) < 0);
	map.handle = create.handle;
	CHECK_RET(sgpu_call(fd, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	p = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 map.offset);
	CHECK(p != MAP_FAILED);
	if (p != MAP_FAILED) {
		memset(p, 0x77, create.size);
		munmap(p, create.size);
	}

	/* It is a buffer like any other. */
	CHECK_RET(vm_create(fd, &id), 0);
	CHECK_RET(bind_map(fd, id, create.handle, 0, VA, page, 0), 0);
	CHECK_RET(vm_destroy(fd, id), 0);
	destroy.handle = create.handle;
	CHECK_RET(sgpu_call(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy), 0);
	close(fd);
}

static void test_prime(void)
{
	struct device other;
	struct buffer bo;
	uint32_t handle = 0, self = 0, id;
	uint64_t first;
	int ret, prime = -1, pipe_fd[2];
	void *map;

	CHECK_RET(buffer_fill(&bo, 4 * page, 31), 0);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC | DRM_RDWR,
				  &prime));

	/* An import on the device of its exporter is the original buffer. */
	CHECK(!drmPrimeFDToHandle(dev.fd, prime, &self));
	CHECK(self == bo.handle);

	CHECK(!pipe(pipe_fd));
	CHECK(drmPrimeFDToHandle(dev.fd, pipe_fd[0], &handle) && errno == EINVAL);
	close(pipe_fd[0]);
	close(pipe_fd[1]);

	if (device_open(&other, 1)) {
		printf("# there is no second device\n");
		goto out;
	}
	CHECK(!drmPrimeFDToHandle(other.fd, prime, &handle));
	CHECK_RET(vm_create(other.fd, &id), 0);
	CHECK_RET(bind_map(other.fd, id, handle, page, VA, 2 * page, 0), 0);
	CHECK_RET(exec_wait(other.fd, id, &(struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_COPY, .src = VA, .dst = VA + page,
			.size = page }, 1), 0);
	CHECK(!memcmp(bo.map + page, bo.map + 2 * page, page));
	CHECK_RET(bo_vmap(other.fd, handle, &self, &first), 0);
	CHECK(!memcmp(&first, bo.map, sizeof(first)));
	/* The exporter maps it. */
	CHECK_RET(ret = bo_mmap(other.fd, handle, bo.size, &map), 0);
	if (!ret) {
		CHECK(!memcmp(map, bo.map, bo.size));
		munmap(map, bo.size);
	}
	buffer_destroy(&bo);
	close(prime);
	prime = -1;
	CHECK_RET(exec_wait(other.fd, id, &(struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = page }, 1), 0);
	device_close(&other);
out:
	if (prime >= 0)
		close(prime);
	buffer_destroy(&bo);
}

static int poke(uint8_t *map, uint8_t value)
{
	if (sigsetjmp(on_sigbus, 1))
		return -EFAULT;
	__atomic_store_n(map, value, __ATOMIC_RELAXED);
	return 0;
}

/* Makes each shrinker of the kernel give back as much memory as it can. */
static bool shrink_all(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	bool ret = fd >= 0 && write(fd, "2", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Other than BO_MADVISE this changes nothing. */
static bool is_purged(uint32_t handle)
{
	struct drm_sgpu_bo_mmap_offset args = { .handle = handle };

	return sgpu_call(dev.fd, DRM_IOCTL_SGPU_BO_MMAP_OFFSET, &args) == -ENODATA;
}

/*
 * The shrinker passes over a buffer that is locked just now, and one that was
 * unbound is let go of a moment later.
 */
static bool gets_purged(uint32_t handle)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!shrink_all() || is_purged(handle))
			break;
		nanosleep(&pause, NULL);
	}
	return is_purged(handle);
}

/* The shrinker does not take this buffer, however often it runs. */
static bool stays(uint32_t handle)
{
	int i;

	for (i = 0; i < 3; i++)
		shrink_all();
	return !is_purged(handle);
}

/* Split, moved and inherited mappings show the pages that they mapped. */
static void test_mmap_parts(void)
{
	struct buffer bo;
	uint8_t *map, *moved;
	int prime = -1;

	CHECK_RET(buffer_fill(&bo, 6 * page, 60), 0);
	CHECK_RET(bo_mmap(dev.fd, bo.handle, bo.size, (void **)&map), 0);
	munmap(map, page);
	mprotect(map + 3 * page, page, PROT_READ);
	CHECK_RET(peek(map + page), pattern(60, page));
	CHECK_RET(peek(map + 3 * page), pattern(60, 3 * page));
	CHECK_RET(peek(map + 4 * page), pattern(60, 4 * page));
	CHECK_RET(poke(map + 2 * page, 1), 0);
	CHECK_RET(peek(bo.map + page), pattern(60, page));
	CHECK_RET(peek(bo.map + 2 * page), 1);

	moved = mremap(map + 4 * page, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, map);
	CHECK(moved == map);
	CHECK_RET(peek(moved + page), pattern(60, 5 * page));
	munmap(map, 4 * page);

	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC | DRM_RDWR, &prime));
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, prime, 4 * page);
	CHECK(map != MAP_FAILED);
	CHECK_RET(peek(map + page), pattern(60, 5 * page));
	CHECK_RET(poke(map, 2), 0);
	CHECK_RET(peek(bo.map + 4 * page), 2);
	munmap(map, 2 * page);
	close(prime);
	buffer_destroy(&bo);
}

/* The exit status of a child that looks at a mapping of its parent, before and after @step */
static int child_sees(uint8_t *map, uint32_t handle, int (*step)(uint32_t handle))
{
	int down[2], up[2], status = -1, before, after;
	pid_t pid;
	char c = 0;

	if (pipe(down) || pipe(up))
		return -1;
	pid = fork();
	if (!pid) {
		before = peek(map);
		if (write(up[1], &c, 1) != 1 || read(down[0], &c, 1) != 1)
			_exit(99);
		after = peek(map);
		_exit(before < 0 ? 98 : after < 0 ? 97 : before != after);
	}
	if (read(up[0], &c, 1) != 1 || step(handle))
		kill(pid, SIGKILL);
	if (write(down[1], &c, 1) != 1 || waitpid(pid, &status, 0) != pid)
		status = -1;
	close(down[0]);
	close(down[1]);
	close(up[0]);
	close(up[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int step_evict(uint32_t handle)
{
	return gets_evicted(handle) != 1;
}

static int step_purge(uint32_t handle)
{
	return bo_madvise(dev.fd, handle, DRM_SGPU_MADV_DONTNEED) != 1 || !gets_purged(handle);
}

static void test_mmap_fork(void)
{
	struct buffer bo;

	CHECK_RET(buffer_fill(&bo, 2 * page, 61), 0);
	CHECK_RET(child_sees(bo.map, bo.handle, step_evict), 0);
	CHECK_RET(peek(bo.map), pattern(61, 0));
	CHECK_RET(child_sees(bo.map, bo.handle, step_purge), 97);
	CHECK_RET(peek(bo.map), -EFAULT);
	buffer_destroy(&bo);
}

static void test_madvise_input(void)
{
	struct drm_sgpu_bo_madvise bad = { .pad = 1 };
	struct buffer bo;

	CHECK_RET(buffer_fill(&bo, page, 40), 0);
	bad.handle = bo.handle;
	CHECK_RET(sgpu_call(dev.fd, DRM_IOCTL_SGPU_BO_MADVISE, &bad), -EINVAL);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, 3), -EINVAL);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, UINT32_MAX), -EINVAL);
	CHECK_RET(bo_madvise(dev.fd, 0, DRM_SGPU_MADV_DONTNEED), -ENOENT);
	CHECK_RET(bo_madvise(dev.fd, 0x7fffffff, DRM_SGPU_MADV_DONTNEED), -ENOENT);
	/* The refused calls changed nothing. */
	CHECK(stays(bo.handle));

	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_WILLNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_WILLNEED), 1);
	CHECK(stays(bo.handle));
	CHECK_RET(peek(bo.map), pattern(40, 0));
	buffer_destroy(&bo);
}

/* Each call that needs the contents of a purged buffer reports the purge, for ever. */
static void test_purged(void)
{
	struct buffer bo;
	uint64_t first;
	uint32_t id;
	int prime = -1;
	void *map;

	CHECK_RET(buffer_fill(&bo, 4 * page, 41), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, 4 * page, 0), 0);
	CHECK_RET(read_byte(VA), pattern(41, 0));
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 4 * page), 0);
	CHECK_RET(peek(bo.map), pattern(41, 0));
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK(gets_purged(bo.handle));

	CHECK_RET(peek(bo.map), -EFAULT);
	CHECK_RET(poke(bo.map + 3 * page, 1), -EFAULT);
	CHECK_RET(bo_mmap(dev.fd, bo.handle, bo.size, &map), -ENODATA);
	CHECK_RET(bo_vmap(dev.fd, bo.handle, &id, &first), -ENODATA);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page, 0), -ENODATA);
	CHECK_RET(read_byte(VA), -EFAULT);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 0);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_WILLNEED), 0);
	CHECK_RET(bo_vmap(dev.fd, bo.handle, &id, &first), -ENODATA);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page, 0), -ENODATA);
	CHECK_RET(peek(bo.map), -EFAULT);

	CHECK(drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC, &prime) && errno == ENODATA);

	/* The mapping may go before the handle, and after it. */
	munmap(bo.map, page);
	CHECK_RET(bo_close(dev.fd, bo.handle), 0);
	CHECK_RET(peek(bo.map + page), -EFAULT);
	munmap(bo.map + page, 3 * page);
}

/* The same holds for a bind of another part of a buffer that is bound. */
static void test_purged_bound(void)
{
	struct buffer bo;

	CHECK_RET(buffer_fill(&bo, 2 * page, 42), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page, 0), 0);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK(gets_purged(bo.handle));
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, page, VA + page, page, 0), -ENODATA);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, page), 0);
	CHECK_RET(write_byte(VA_OUT, 1), 0);
	buffer_destroy(&bo);
}

/* A buffer is not purged while it is in use, but afterwards. */
static void test_purge_in_use(void)
{
	struct drm_sgpu_cmd cmds[64];
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct buffer bound, mapped, kept;
	uint32_t vmap, id, i;
	uint64_t first;

	CHECK_RET(buffer_fill(&bound, 256 * page, 42), 0);
	CHECK_RET(buffer_fill(&mapped, page, 43), 0);
	CHECK_RET(buffer_fill(&kept, page, 44), 0);
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(bind_map(dev.fd, vm, bound.handle, 0, VA, bound.size, 0), 0);
	CHECK_RET(bind_map(dev.fd, id, bound.handle, 0, VA, bound.size, 0), 0);
	CHECK_RET(bo_vmap(dev.fd, mapped.handle, &vmap, &first), 0);

	CHECK_RET(bo_madvise(dev.fd, bound.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, mapped.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, kept.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK_RET(bo_madvise(dev.fd, kept.handle, DRM_SGPU_MADV_WILLNEED), 1);

	/* Bound, and used by a job */
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = bound.size,
			.value = i,
		};
	CHECK_RET(bo_madvise(dev.fd, bound.handle, DRM_SGPU_MADV_WILLNEED), 1);
	CHECK_RET(sgpu_exec(dev.fd, id, cmds, ARRAY_SIZE(cmds), &sync, 1, NULL), 0);
	CHECK(stays(bound.handle));
	CHECK_RET(syncobj_status(dev.fd, sync.handle), 0);
	CHECK_RET(peek(bound.map + bound.size - 1), ARRAY_SIZE(cmds) - 1);
	CHECK_RET(read_byte(VA + bound.size - 1), ARRAY_SIZE(cmds) - 1);
	CHECK_RET(bo_madvise(dev.fd, bound.handle, DRM_SGPU_MADV_DONTNEED), 1);

	/* Bound in two address spaces, which do not keep it */
	CHECK(gets_purged(bound.handle));
	CHECK_RET(peek(bound.map), -EFAULT);
	CHECK_RET(read_byte(VA), -ENODATA);
	CHECK(stays(mapped.handle));
	CHECK(stays(kept.handle));
	CHECK_RET(peek(mapped.map), pattern(43, 0));
	CHECK_RET(peek(kept.map), pattern(44, 0));

	CHECK_RET(vm_destroy(dev.fd, id), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, bound.size), 0);
	CHECK_RET(bo_vunmap(dev.fd, vmap), 0);
	CHECK(gets_purged(mapped.handle));
	CHECK_RET(bo_madvise(dev.fd, mapped.handle, DRM_SGPU_MADV_WILLNEED), 0);
	CHECK(stays(kept.handle));
	CHECK_RET(bo_madvise(dev.fd, kept.handle, DRM_SGPU_MADV_WILLNEED), 1);
	CHECK_RET(peek(kept.map), pattern(44, 0));

	drmSyncobjDestroy(dev.fd, sync.handle);
	buffer_destroy(&bound);
	buffer_destroy(&mapped);
	buffer_destroy(&kept);
}

/* A buffer that others may use is not purged, nor is an imported one. */
static void test_purge_shared(void)
{
	struct device other;
	struct buffer bo;
	uint32_t handle;
	int prime = -1;

	CHECK_RET(buffer_fill(&bo, page, 45), 0);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC, &prime));
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), -EBUSY);
	CHECK(stays(bo.handle));
	CHECK_RET(device_open_name(&other, dev.name), 0);
	CHECK(!drmPrimeFDToHandle(other.fd, prime, &handle));
	CHECK_RET(bo_madvise(other.fd, handle, DRM_SGPU_MADV_DONTNEED), -EBUSY);
	device_close(&other);
	if (!device_open(&other, 1)) {
		CHECK(!drmPrimeFDToHandle(other.fd, prime, &handle));
		CHECK_RET(bo_madvise(other.fd, handle, DRM_SGPU_MADV_DONTNEED),
			  -EOPNOTSUPP);
		device_close(&other);
	}
	close(prime);
	CHECK(stays(bo.handle));
	CHECK_RET(peek(bo.map), pattern(45, 0));
	/* The kernel keeps the dma-buf for the handle. */
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), -EBUSY);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_WILLNEED), 1);
	buffer_destroy(&bo);
}

/* A buffer with the pattern, and nothing that keeps its pages */
static int buffer_fill_unmapped(struct buffer *bo, uint64_t size, unsigned int seed)
{
	int ret = buffer_fill(bo, size, seed);

	if (!ret)
		munmap(bo->map, bo->size);
	bo->map = NULL;
	return ret;
}

/* An evicted buffer comes back with its contents, wherever it is bound. */
static void test_evicted(void)
{
	struct buffer bo;
	uint32_t id;
	int i;

	CHECK_RET(buffer_fill_unmapped(&bo, 8 * page, 50), 0);
	CHECK_RET(vm_create(dev.fd, &id), 0);
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, 8 * page, 0), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA + 16 * page, page,
			   DRM_SGPU_BIND_READONLY), 0);
	CHECK_RET(bind_map(dev.fd, id, bo.handle, page, VA, page, 0), 0);
	CHECK_RET(read_byte(VA), pattern(50, 0));

	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(exec_op(id, DRM_SGPU_CMD_FILL, 99, 0, VA, 2), 0);
	CHECK_RET(read_byte(VA + page), 99);
	CHECK_RET(read_byte(VA + page + 2), pattern(50, page + 2));
	CHECK_RET(read_byte(VA + 16 * page), pattern(50, 0));
	CHECK_RET(write_byte(VA + 16 * page, 1), -EFAULT);

	/* With swap, the shrinker evicts buffers, too. */
	for (i = 0; i < 3; i++) {
		shrink_all();
		CHECK_RET(read_byte(VA), pattern(50, 0));
	}

	/* Bound, split and unbound while it is evicted */
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA + 2 * page, page), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_SPARSE, VA + 3 * page, page), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 7 * page, VA + 32 * page, page, 0), 0);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA + 16 * page, page), 0);
	CHECK_RET(read_byte(VA + page), 99);
	CHECK_RET(read_byte(VA + 2 * page), -EFAULT);
	CHECK_RET(read_byte(VA + 3 * page), 0);
	CHECK_RET(read_byte(VA + 4 * page), pattern(50, 4 * page));
	CHECK_RET(read_byte(VA + 16 * page), -EFAULT);
	CHECK_RET(read_byte(VA + 32 * page), pattern(50, 7 * page));

	/* An address space goes that it was not brought back to. */
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(vm_destroy(dev.fd, id), 0);
	CHECK_RET(read_byte(VA), pattern(50, 0));
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, 64 * page), 0);
	CHECK_RET(read_byte(VA), -EFAULT);
	buffer_destroy(&bo);
}

/*
 * Mapped page by page from the last to the first, each comes back where it was. With
 * that many pages the buffer's table has parts, unless they lie side by side.
 */
static void test_evicted_pages(void)
{
	static struct drm_sgpu_bind_op ops[DRM_SGPU_MAX_OPS];
	const unsigned int n = ARRAY_SIZE(ops);
	struct buffer bo;
	unsigned int i, wrong = 0;

	CHECK_RET(buffer_fill_unmapped(&bo, n * page, 53), 0);
	for (i = 0; i < n; i++)
		ops[i] = (struct drm_sgpu_bind_op) {
			.op = DRM_SGPU_BIND_MAP, .handle = bo.handle,
			.offset = (n - 1 - i) * page, .addr = VA + i * page,
			.size = page,
		};
	CHECK_RET(vm_bind(dev.fd, vm, ops, n, NULL, 0), 0);
	CHECK_RET(read_byte(VA), pattern(53, (n - 1) * page));
	CHECK_RET(gets_evicted(bo.handle), 1);
	for (i = 0; i < n; i += i < n - 1 - 64 ? 13 : 1)
		wrong += read_byte(VA + i * page) != pattern(53, (n - 1 - i) * page);
	CHECK(!wrong);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, n * page), 0);
	buffer_destroy(&bo);
}

/* A buffer in use is not evicted, and a buffer that cannot be evicted gives an error. */
/* A buffer that is bound very often stays, in whichever VMs it is bound. */
static void test_evict_often(void)
{
	struct buffer bo;
	uint32_t id[2];
	unsigned int i;
	int ret = 0;

	CHECK_RET(buffer_fill(&bo, page, 53), 0);
	CHECK_RET(vm_create(dev.fd, &id[0]), 0);
	CHECK_RET(vm_create(dev.fd, &id[1]), 0);
	for (i = 0; i < DRM_SGPU_MAX_EVICT && !ret; i += DRM_SGPU_MAX_OPS)
		ret = bind_pages(id[0], DRM_SGPU_BIND_MAP, bo.handle, i, 1, DRM_SGPU_MAX_OPS);
	CHECK_RET(ret, 0);
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(exec_op(id[0], DRM_SGPU_CMD_FILL, 7, 0, VA + (i - 1) * page, 1), 0);
	CHECK_RET(peek(bo.map), 7);
	CHECK_RET(bind_pages(id[1], DRM_SGPU_BIND_MAP, bo.handle, 0, 1, 1), 0);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_PAGEOUT), -EBUSY);
	CHECK_RET(bind_page(id[0], DRM_SGPU_BIND_UNMAP, 0), 0);
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(exec_op(id[1], DRM_SGPU_CMD_FILL, 8, 0, VA, 1), 0);
	CHECK_RET(peek(bo.map), 8);
	CHECK_RET(vm_destroy(dev.fd, id[0]), 0);
	CHECK_RET(vm_destroy(dev.fd, id[1]), 0);
	buffer_destroy(&bo);
}

static void test_evict_in_use(void)
{
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	struct drm_sgpu_cmd cmds[64];
	struct device other;
	struct buffer bo;
	uint32_t vmap, handle, i;
	uint64_t first;
	int prime = -1;

	CHECK_RET(buffer_fill(&bo, 256 * page, 51), 0);
	CHECK_RET(syncobj_create(dev.fd, &sync.handle), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, bo.size, 0), 0);
	/* mmap() does not keep it, and gets it back. */
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(peek(bo.map + page), pattern(51, page));

	CHECK_RET(bo_vmap(dev.fd, bo.handle, &vmap, &first), 0);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_PAGEOUT), -EBUSY);
	CHECK_RET(bo_vunmap(dev.fd, vmap), 0);
	CHECK_RET(gets_evicted(bo.handle), 1);

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = VA, .size = bo.size,
			.value = i,
		};
	CHECK_RET(sgpu_exec(dev.fd, vm, cmds, ARRAY_SIZE(cmds), &sync, 1, NULL), 0);
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(syncobj_status(dev.fd, sync.handle), 0);
	CHECK_RET(read_byte(VA + bo.size - 1), ARRAY_SIZE(cmds) - 1);

	/* Not needed, and evicted: it may be purged though it is bound. */
	CHECK_RET(gets_evicted(bo.handle), 1);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_DONTNEED), 1);
	CHECK(gets_purged(bo.handle));
	CHECK_RET(read_byte(VA), -ENODATA);
	/* Bound or not, it cannot be bound. */
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA + bo.size, page, 0), -ENODATA);
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_PAGEOUT), -ENODATA);
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, bo.size), 0);
	CHECK_RET(read_byte(VA), -EFAULT);
	buffer_destroy(&bo);

	CHECK_RET(buffer_fill_unmapped(&bo, page, 52), 0);
	CHECK_RET(bind_map(dev.fd, vm, bo.handle, 0, VA, page, 0), 0);
	CHECK(!drmPrimeHandleToFD(dev.fd, bo.handle, DRM_CLOEXEC, &prime));
	/* The buffer can be another client's. */
	CHECK_RET(bo_madvise(dev.fd, bo.handle, DRM_SGPU_MADV_PAGEOUT), -EBUSY);
	CHECK_RET(device_open_name(&other, dev.name), 0);
	CHECK(!drmPrimeFDToHandle(other.fd, prime, &handle));
	CHECK_RET(bo_madvise(other.fd, handle, DRM_SGPU_MADV_PAGEOUT), -EBUSY);
	device_close(&other);
	if (!device_open(&other, 1)) {
		CHECK(!drmPrimeFDToHandle(other.fd, prime, &handle));
		CHECK_RET(bo_madvise(other.fd, handle, DRM_SGPU_MADV_PAGEOUT),
			  -EOPNOTSUPP);
		device_close(&other);
	}
	close(prime);
	CHECK_RET(read_byte(VA), pattern(52, 0));
	CHECK_RET(bind_range(dev.fd, vm, DRM_SGPU_BIND_UNMAP, VA, page), 0);
	buffer_destroy(&bo);
	drmSyncobjDestroy(dev.fd, sync.handle);
}

static void test_madvise(void)
{
	if (!shrink_all()) {
		printf("# caches cannot be dropped: nothing gets purged\n");
		return;
	}
	catch_sigbus();
	test_madvise_input();
	test_purged();
	test_purged_bound();
	test_purge_in_use();
	test_purge_shared();
	test_evicted();
	test_evicted_pages();
	test_evict_often();
	test_evict_in_use();
	test_mmap_parts();
	test_mmap_fork();
	signal(SIGBUS, SIG_DFL);
}

int selftest(void)
{
	char before[128], after[128];
	unsigned long timeout;
	int ret;

	if (!live_counts(before, sizeof(before))) {
		fprintf(stderr, "sgpu: the module is not loaded\n");
		return 1;
	}
	ret = device_open(&dev, 0);
	if (ret) {
		fprintf(stderr, "sgpu: there is no device\n");
		return 1;
	}

	/* One line at a time: make check counts them to show how much is left. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	/* However slow the machine, only the jobs of tests for it time out. */
	timeout = device_timeout();
	CHECK_RET(device_set_timeout(60 * 60 * 1000), 0);
	test_info();
	CHECK_RET(vm_create(dev.fd, &vm), 0);
	CHECK_RET(buffer_create(&out, dev.fd, 1), 0);
	CHECK_RET(bind_map(dev.fd, vm, out.handle, 0, VA_OUT, page, 0), 0);
	test_bo();
	test_vmap();
	test_vm();
	test_bind_input();
	test_bind_batch();
	test_bind_work();
	test_bind_count();
	test_exec_input();
	test_commands();
	test_faults();
	test_sparse();
	test_model();
	test_syncs();
	test_destroy_busy();
	test_others_wait_for_nobody();
	test_killed();
	test_limits();
	test_hardware_faults();
	test_dumb();
	test_prime();
	test_fdinfo();
	test_madvise();
	munmap(out.map, out.size);
	device_close(&dev);
	CHECK_RET(device_set_timeout(timeout), 0);

	CHECK(live_wait(before, 60000));
	if (live_counts(after, sizeof(after)) && strcmp(before, after))
		printf("# before: %s\n# after: %s\n", before, after);

	printf("1..%u\n# %u passed, %u failed\n", checks, checks - failures,
	       failures);
	return failures ? 1 : 0;
}
