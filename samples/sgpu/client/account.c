// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Have the driver allocate, one kind of memory at a time, and keep it: for a memory cgroup to
 * be charged with.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define TIMEOUT_MS	600000

static struct device dev;
static struct drm_sgpu_info info;
static uint32_t vm;

/* Another open file, with an address space: each has limits of its own. */
static int open_another(void)
{
	int ret = device_open(&dev, 0);

	return ret ? ret : vm_create(dev.fd, &vm);
}

/* A long job, for the jobs behind it and the jobs that wait for @busy */
static struct drm_sgpu_sync busy;

static int open_busy(void)
{
	static struct drm_sgpu_cmd cmds[DRM_SGPU_MAX_CMDS];
	unsigned int i;
	int ret = open_another();

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = info.va_start, .size = 1 << 30,
		};
	if (!ret)
		ret = bind_range(dev.fd, vm, DRM_SGPU_BIND_SPARSE, info.va_start, 1 << 30);
	if (!ret)
		ret = syncobj_create(dev.fd, &busy.handle);
	busy.flags = DRM_SGPU_SYNC_SIGNAL;
	if (!ret)
		ret = sgpu_exec(dev.fd, vm, cmds, ARRAY_SIZE(cmds), &busy, 1, NULL);
	busy.flags = 0;
	return ret;
}

static int make_object(unsigned long i)
{
	uint64_t size = PAGE;
	uint32_t handle;

	(void)i;
	return bo_create(dev.fd, &size, 0, &handle);
}

/* The pages of an object that the CPU never touches, 1 MiB at a time */
static int make_pages(unsigned long i)
{
	uint64_t size = 1 << 20;
	uint32_t handle;
	int ret = bo_create(dev.fd, &size, 0, &handle);

	return ret ? ret : bind_map(dev.fd, vm, handle, 0, info.va_start + i * size, size, 0);
}

/* An object in one more address space: 64 objects in all address spaces that a file has */
static int make_vm_bo(unsigned long i)
{
	static uint32_t objects[64];
	const unsigned long object = i % ARRAY_SIZE(objects);
	const unsigned long space = i / ARRAY_SIZE(objects) % (DRM_SGPU_MAX_VMS - 1);
	uint64_t size = PAGE;
	int ret = 0;

	if (!object && !space && i)
		ret = open_another();
	if (!ret && !object)
		ret = vm_create(dev.fd, &vm);
	if (!ret && !space)
		ret = bo_create(dev.fd, &size, 0, &objects[object]);
	return ret ? ret : bind_map(dev.fd, vm, objects[object], 0,
				    info.va_start + object * PAGE, PAGE, 0);
}

/* An operation for each of 1024 pages that are @apart */
static int bind_many(uint32_t op, unsigned long i, uint64_t apart, const struct drm_sgpu_sync *sync)
{
	static struct drm_sgpu_bind_op ops[DRM_SGPU_MAX_OPS];
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(ops); j++)
		ops[j] = (struct drm_sgpu_bind_op) {
			.op = op, .size = PAGE,
			.addr = info.va_start + (i * ARRAY_SIZE(ops) + j) * apart,
		};
	return vm_bind(dev.fd, vm, ops, ARRAY_SIZE(ops), sync, !!sync);
}

static int bind_many_now(uint32_t op, unsigned long i, uint64_t apart)
{
	static struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	int ret = i ? 0 : syncobj_create(dev.fd, &sync.handle);

	if (!ret)
		ret = bind_many(op, i, apart, &sync);
	return ret ? ret : syncobj_wait(dev.fd, sync.handle);
}

/* Makes 1024 mappings, in a new address space when the last one has half of its limit. */
static int make_mappings(unsigned long i)
{
	int ret = i % 32 ? 0 : vm_create(dev.fd, &vm);

	return ret ? ret : bind_many_now(DRM_SGPU_BIND_SPARSE, i, PAGE);
}

/* 1024 tables of the page table, with nothing in them */
static int make_tables(unsigned long i)
{
	return bind_many_now(DRM_SGPU_BIND_UNMAP, i, 512 * PAGE);
}

/* Prepares 1024 mappings, which take three times as many VAs. */
static int make_prepared(unsigned long i)
{
	int ret = 0;

	if (!(i % 128))
		ret = open_busy();
	else if (!(i % 16))
		ret = vm_create(dev.fd, &vm);
	return ret ? ret : bind_many(DRM_SGPU_BIND_SPARSE, i % 16, PAGE, &busy);
}

static int make_vm(unsigned long i)
{
	uint32_t id;

	/* open_another() made the first one. */
	return (i + 1) % DRM_SGPU_MAX_VMS ? vm_create(dev.fd, &id) : open_another();
}

static int exec_behind(unsigned long i, unsigned int count)
{
	static struct drm_sgpu_cmd cmds[DRM_SGPU_MAX_CMDS];
	unsigned int j;
	int ret = i % 128 ? 0 : open_busy();

	for (j = 0; j < count; j++)
		cmds[j] = (struct drm_sgpu_cmd) {
			.op = DRM_SGPU_CMD_FILL, .dst = info.va_start, .size = 1,
		};
	return ret ? ret : sgpu_exec(dev.fd, vm, cmds, count, NULL, 0, NULL);
}

static int make_job(unsigned long i)
{
	return exec_behind(i, 1);
}

/* The copy of 4096 commands */
static int make_commands(unsigned long i)
{
	return exec_behind(i, DRM_SGPU_MAX_CMDS);
}

static const struct {
	const char *name;
	int (*make)(unsigned long i);
} kinds[] = {
	{ "objects", make_object },
	{ "pages", make_pages },
	{ "vm_bos", make_vm_bo },
	{ "mappings", make_mappings },
	{ "tables", make_tables },
	{ "prepared", make_prepared },
	{ "vms", make_vm },
	{ "jobs", make_job },
	{ "commands", make_commands },
};

/* Make @count things of a kind, or as many as can be, say so and wait to be killed. */
int account(const char *kind, unsigned long count)
{
	unsigned long n = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(kinds) && strcmp(kinds[i].name, kind); i++)
		;
	if (i == ARRAY_SIZE(kinds)) {
		fprintf(stderr, "there is no kind %s\n", kind);
		return 2;
	}
	ret = device_set_timeout(TIMEOUT_MS);
	if (!ret)
		ret = open_another();
	if (!ret)
		ret = sgpu_info(dev.fd, &info);
	while (!ret && (!count || n < count)) {
		ret = kinds[i].make(n);
		n += !ret;
	}
	printf("%lu %s: %s\n", n, kind, ret ? error_name(ret) : "made");
	if (ret && (count || !n))
		return 1;
	puts("ready");
	for (;;)
		pause();
}
