// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>
#include <xf86drm.h>

#include "client.h"

#define LIVE		"/sys/module/sgpu/parameters/live"
#define TIMEOUT		"/sys/module/sgpu/parameters/timeout_ms"
#define DRIVER_DIR	"/sys/bus/platform/drivers/sgpu/"
#define FAULTS		"/sys/kernel/debug/sgpu/"

static bool is_sgpu(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool ret = version && !strcmp(version->name, "sgpu");

	drmFreeVersion(version);
	return ret;
}

static int parent_name(int fd, char *name, size_t size)
{
	char link[64], path[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	if (!realpath(link, path))
		return -errno;
	snprintf(name, size, "%s", basename(path));
	return 0;
}

static int node_open(struct device *dev, unsigned int minor)
{
	snprintf(dev->node, sizeof(dev->node), "/dev/dri/renderD%u", minor);
	dev->fd = open(dev->node, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	if (is_sgpu(dev->fd) &&
	    !parent_name(dev->fd, dev->name, sizeof(dev->name)))
		return 0;
	device_close(dev);
	return -ENODEV;
}

/* Open the @n-th device of the driver, in the order of the nodes. */
int device_open(struct device *dev, unsigned int n)
{
	unsigned int minor;

	for (minor = 128; minor < 128 + SGPU_MAX_NODES; minor++) {
		if (node_open(dev, minor))
			continue;
		if (!n--)
			return 0;
		device_close(dev);
	}
	dev->fd = -1;
	return -ENODEV;
}

int device_open_name(struct device *dev, const char *name)
{
	unsigned int i;

	for (i = 0; !device_open(dev, i); i++) {
		if (!strcmp(dev->name, name))
			return 0;
		device_close(dev);
	}
	return -ENODEV;
}

void device_close(struct device *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
}

/* Only platform devices are in the driver's directory. */
bool device_can_unbind(const char *name)
{
	char path[sizeof(DRIVER_DIR) + 64];

	snprintf(path, sizeof(path), DRIVER_DIR "%s", name);
	return !access(path, F_OK);
}

/* Bind a platform device to the driver, or unbind it, which unplugs it. */
int device_bind(const char *name, bool bind)
{
	const char *path = bind ? DRIVER_DIR "bind" : DRIVER_DIR "unbind";
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, name, strlen(name)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* How long a job may take, in milliseconds */
unsigned long device_timeout(void)
{
	FILE *file = fopen(TIMEOUT, "re");
	unsigned long ms;

	if (!file)
		return -1;
	if (fscanf(file, "%lu", &ms) != 1)
		ms = -1;
	fclose(file);
	return ms;
}

/* The same for VMs that are created from now on */
int device_set_timeout(unsigned long ms)
{
	FILE *file = fopen(TIMEOUT, "we");
	int ret;

	if (!file)
		return -errno;
	ret = fprintf(file, "%lu\n", ms) < 0 ? -EIO : 0;
	return fclose(file) ? -errno : ret;
}

static bool fault_set(const char *name, const char *what, int value)
{
	char path[128];
	FILE *file;
	bool ret;

	snprintf(path, sizeof(path), FAULTS "%s/%s", name, what);
	file = fopen(path, "we");
	if (!file)
		return false;
	ret = fprintf(file, "%d\n", value) > 0;
	return !fclose(file) && ret;
}

/*
 * Have a fault of the hardware happen @times times, once it was spared for @spared
 * times. Kernels without fault injection cannot.
 */
bool fault_order(const char *name, int spared, int times)
{
	/* It happens once the space is not more than the size of one time, 1. */
	return fault_set(name, "space", spared ? spared + 1 : 0) &&
	       fault_set(name, "times", times) &&
	       fault_set(name, "probability", times ? 100 : 0);
}

/* Have it happen now and then. */
bool fault_storm(const char *name, int percent)
{
	return fault_set(name, "space", 0) && fault_set(name, "times", -1) &&
	       fault_set(name, "probability", percent);
}

/* How often it will still happen, or -1 if that cannot be read */
int fault_left(const char *name)
{
	char path[128];
	int left = -1;
	FILE *file;

	snprintf(path, sizeof(path), FAULTS "%s/times", name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &left) != 1)
		left = -1;
	fclose(file);
	return left;
}

/* Waits until the fault has happened as often as planned. */
bool fault_taken(const char *name)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int left;

	while ((left = fault_left(name)) > 0)
		nanosleep(&pause, NULL);
	return !left;
}

bool live_counts(char *text, size_t size)
{
	FILE *file = fopen(LIVE, "re");
	bool ret;

	if (!file)
		return false;
	ret = fgets(text, size, file);
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return ret;
}

/* A kernel thread frees the last objects a moment later. */
bool live_wait(const char *expected, unsigned int ms)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	char text[128];

	for (;;) {
		if (live_counts(text, sizeof(text)) && !strcmp(text, expected))
			return true;
		if (ms < 10)
			return false;
		ms -= 10;
		nanosleep(&pause, NULL);
	}
}

int sgpu_call(int fd, unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

int sgpu_info(int fd, struct drm_sgpu_info *info)
{
	memset(info, 0, sizeof(*info));
	return sgpu_call(fd, DRM_IOCTL_SGPU_INFO, info);
}

int bo_create(int fd, uint64_t *size, uint32_t flags, uint32_t *handle)
{
	struct drm_sgpu_bo_create args = { .size = *size, .flags = flags };
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_BO_CREATE, &args);

	if (!ret) {
		*size = args.size;
		*handle = args.handle;
	}
	return ret;
}

int bo_mmap(int fd, uint32_t handle, uint64_t size, void **map)
{
	struct drm_sgpu_bo_mmap_offset args = { .handle = handle };
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_BO_MMAP_OFFSET, &args);

	if (ret)
		return ret;
	*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    args.offset);
	return *map == MAP_FAILED ? -errno : 0;
}

int bo_close(int fd, uint32_t handle)
{
	return drmCloseBufferHandle(fd, handle) ? -errno : 0;
}

int buffer_create(struct buffer *bo, int fd, uint64_t size)
{
	int ret;

	*bo = (struct buffer) { .fd = fd, .size = size };
	ret = bo_create(fd, &bo->size, 0, &bo->handle);
	if (ret)
		return ret;
	ret = bo_mmap(fd, bo->handle, bo->size, &bo->map);
	if (ret) {
		bo->map = NULL;
		buffer_destroy(bo);
	}
	return ret;
}

void buffer_destroy(struct buffer *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	if (bo->handle)
		bo_close(bo->fd, bo->handle);
	memset(bo, 0, sizeof(*bo));
}

int bo_vmap(int fd, uint32_t handle, uint32_t *id, uint64_t *first)
{
	struct drm_sgpu_bo_vmap args = { .handle = handle };
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_BO_VMAP, &args);

	if (!ret) {
		*id = args.id;
		*first = args.first;
	}
	return ret;
}

int bo_vunmap(int fd, uint32_t id)
{
	struct drm_sgpu_bo_vunmap args = { .id = id };

	return sgpu_call(fd, DRM_IOCTL_SGPU_BO_VUNMAP, &args);
}

/* 1 if the buffer has its contents, 0 if it was purged, or an error */
int bo_madvise(int fd, uint32_t handle, uint32_t madv)
{
	struct drm_sgpu_bo_madvise args = { .handle = handle, .madv = madv };
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_BO_MADVISE, &args);

	return ret ? ret : (int)args.retained;
}

int vm_create(int fd, uint32_t *id)
{
	struct drm_sgpu_vm_create args = {};
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_VM_CREATE, &args);

	if (!ret)
		*id = args.id;
	return ret;
}

int vm_destroy(int fd, uint32_t id)
{
	struct drm_sgpu_vm_destroy args = { .id = id };

	return sgpu_call(fd, DRM_IOCTL_SGPU_VM_DESTROY, &args);
}

int vm_bind(int fd, uint32_t vm, const struct drm_sgpu_bind_op *ops,
	    uint32_t count, const struct drm_sgpu_sync *syncs,
	    uint32_t sync_count)
{
	struct drm_sgpu_vm_bind args = {
		.vm_id = vm,
		.ops = (uintptr_t)ops,
		.op_count = count,
		.sync_count = sync_count,
		.syncs = (uintptr_t)syncs,
	};

	return sgpu_call(fd, DRM_IOCTL_SGPU_VM_BIND, &args);
}

int vm_fault(int fd, uint32_t vm, struct drm_sgpu_vm_fault *fault)
{
	*fault = (struct drm_sgpu_vm_fault) { .vm_id = vm };
	return sgpu_call(fd, DRM_IOCTL_SGPU_VM_FAULT, fault);
}

int sgpu_exec(int fd, uint32_t vm, const struct drm_sgpu_cmd *cmds,
	      uint32_t count, const struct drm_sgpu_sync *syncs,
	      uint32_t sync_count, uint64_t *job)
{
	struct drm_sgpu_exec args = {
		.vm_id = vm,
		.cmds = (uintptr_t)cmds,
		.cmd_count = count,
		.sync_count = sync_count,
		.syncs = (uintptr_t)syncs,
	};
	int ret = sgpu_call(fd, DRM_IOCTL_SGPU_EXEC, &args);

	if (!ret && job)
		*job = args.job;
	return ret;
}

int syncobj_create(int fd, uint32_t *handle)
{
	return drmSyncobjCreate(fd, 0, handle) ? -errno : 0;
}

int syncobj_wait(int fd, uint32_t handle)
{
	return drmSyncobjWait(fd, &handle, 1, INT64_MAX, 0, NULL) ? -errno : 0;
}

int syncobj_wait_point(int fd, uint32_t handle, uint64_t point)
{
	return drmSyncobjTimelineWait(fd, &handle, &point, 1, INT64_MAX, 0,
				      NULL) ? -errno : 0;
}

int syncobj_export(int fd, uint32_t handle, int *sync_file)
{
	return drmSyncobjExportSyncFile(fd, handle, sync_file) ? -errno : 0;
}

/* Returns 1 if the syncobj's fence is signalled, 0 if not yet, or the fence's error. */
int sync_file_status(int sync_file)
{
	struct sync_file_info info = {};

	return ioctl(sync_file, SYNC_IOC_FILE_INFO, &info) ? -errno :
							     info.status;
}

/* Returns whether the job with this syncobj is still running. */
bool syncobj_pending(int fd, uint32_t handle)
{
	int sync_file, ret = syncobj_export(fd, handle, &sync_file);

	if (ret)
		return false;
	ret = sync_file_status(sync_file);
	close(sync_file);
	return !ret;
}

/* Waits for the job with this syncobj, and returns its result. */
int syncobj_status(int fd, uint32_t handle)
{
	struct pollfd poll_fd = { .events = POLLIN };
	int ret = syncobj_export(fd, handle, &poll_fd.fd);

	/* DRM returns this if there is no memory for the file. */
	if (ret == -EINVAL)
		ret = -ENOMEM;
	if (ret)
		return ret;
	do {
		ret = poll(&poll_fd, 1, -1) < 0 ? -errno : 0;
	} while (ret == -EINTR);
	if (!ret)
		ret = sync_file_status(poll_fd.fd);
	close(poll_fd.fd);
	return ret > 0 ? 0 : ret;
}

static int bind_wait(int fd, uint32_t vm, const struct drm_sgpu_bind_op *op)
{
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	int ret = syncobj_create(fd, &sync.handle);

	if (ret)
		return ret;
	ret = vm_bind(fd, vm, op, 1, &sync, 1);
	if (!ret)
		ret = syncobj_status(fd, sync.handle);
	drmSyncobjDestroy(fd, sync.handle);
	return ret;
}

int bind_map(int fd, uint32_t vm, uint32_t handle, uint64_t offset,
	     uint64_t addr, uint64_t size, uint32_t flags)
{
	const struct drm_sgpu_bind_op op = {
		.op = DRM_SGPU_BIND_MAP,
		.flags = flags,
		.handle = handle,
		.offset = offset,
		.addr = addr,
		.size = size,
	};

	return bind_wait(fd, vm, &op);
}

int bind_range(int fd, uint32_t vm, uint32_t op, uint64_t addr, uint64_t size)
{
	const struct drm_sgpu_bind_op bind = {
		.op = op,
		.addr = addr,
		.size = size,
	};

	return bind_wait(fd, vm, &bind);
}

int exec_wait(int fd, uint32_t vm, const struct drm_sgpu_cmd *cmds,
	      uint32_t count)
{
	struct drm_sgpu_sync sync = { .flags = DRM_SGPU_SYNC_SIGNAL };
	int ret = syncobj_create(fd, &sync.handle);

	if (ret)
		return ret;
	ret = sgpu_exec(fd, vm, cmds, count, &sync, 1, NULL);
	if (!ret)
		ret = syncobj_status(fd, sync.handle);
	drmSyncobjDestroy(fd, sync.handle);
	return ret;
}

__thread sigjmp_buf on_sigbus;

static void sigbus(int signal)
{
	(void)signal;
	siglongjmp(on_sigbus, 1);
}

void catch_sigbus(void)
{
	const struct sigaction action = { .sa_handler = sigbus };

	sigaction(SIGBUS, &action, NULL);
}

/* Reads a mapping. Returns its first byte, or -EFAULT for SIGBUS. */
int peek(const uint8_t *map)
{
	if (sigsetjmp(on_sigbus, 1))
		return -EFAULT;
	return __atomic_load_n(map, __ATOMIC_RELAXED);
}

/* CRC-32 of IEEE 802.3, bit by bit for each byte's table entry. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t size)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	unsigned int i, bit;

	if (!table[1]) {
		for (i = 255; i; i--) {
			uint32_t entry = i;

			for (bit = 0; bit < 8; bit++)
				entry = entry >> 1 ^
					(entry & 1 ? 0xedb88320 : 0);
			table[i] = entry;
		}
	}

	crc = ~crc;
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

const char *error_name(int error)
{
	const char *name;

	if (!error)
		return "ok";
	name = strerrorname_np(error < 0 ? -error : error);
	return name ? name : "?";
}
