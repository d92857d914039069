/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations for all parts of the client: devices, and each ioctl as a function
 * that returns 0 or a negative error number.
 */
#ifndef _SGPU_CLIENT_H
#define _SGPU_CLIENT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sgpu_uapi.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SGPU_MAX_NODES	64

/* An open device, by its render node */
struct device {
	int fd;
	char node[64];		/* such as /dev/dri/renderD128 */
	char name[64];		/* of the parent in sysfs, such as sgpu.0 */
};

/* A buffer and its mapping for the CPU */
struct buffer {
	int fd;			/* of the device */
	uint32_t handle;
	uint64_t size;
	void *map;
};

int device_open(struct device *dev, unsigned int n);
int device_open_name(struct device *dev, const char *name);
void device_close(struct device *dev);
bool device_can_unbind(const char *name);
int device_bind(const char *name, bool bind);
unsigned long device_timeout(void);
int device_set_timeout(unsigned long ms);
bool fault_order(const char *name, int spared, int times);
int fault_left(const char *name);
bool fault_taken(const char *name);
bool fault_storm(const char *name, int percent);
bool live_counts(char *text, size_t size);
bool live_wait(const char *expected, unsigned int ms);

int sgpu_call(int fd, unsigned long request, void *arg);
int sgpu_info(int fd, struct drm_sgpu_info *info);
int bo_create(int fd, uint64_t *size, uint32_t flags, uint32_t *handle);
int bo_mmap(int fd, uint32_t handle, uint64_t size, void **map);
int bo_close(int fd, uint32_t handle);
int buffer_create(struct buffer *bo, int fd, uint64_t size);
void buffer_destroy(struct buffer *bo);
int bo_vmap(int fd, uint32_t handle, uint32_t *id, uint64_t *first);
int bo_vunmap(int fd, uint32_t id);
int bo_madvise(int fd, uint32_t handle, uint32_t madv);
int vm_create(int fd, uint32_t *id);
int vm_destroy(int fd, uint32_t id);
int vm_bind(int fd, uint32_t vm, const struct drm_sgpu_bind_op *ops,
	    uint32_t count, const struct drm_sgpu_sync *syncs,
	    uint32_t sync_count);
int vm_fault(int fd, uint32_t vm, struct drm_sgpu_vm_fault *fault);
int sgpu_exec(int fd, uint32_t vm, const struct drm_sgpu_cmd *cmds,
	      uint32_t count, const struct drm_sgpu_sync *syncs,
	      uint32_t sync_count, uint64_t *job);

int syncobj_create(int fd, uint32_t *handle);
int syncobj_wait(int fd, uint32_t handle);
int syncobj_wait_point(int fd, uint32_t handle, uint64_t point);
int syncobj_status(int fd, uint32_t handle);
int syncobj_export(int fd, uint32_t handle, int *sync_file);
int sync_file_status(int sync_file);
bool syncobj_pending(int fd, uint32_t handle);

/* Map, unmap and execute, and wait until it is done; the job's error, if any */
int bind_map(int fd, uint32_t vm, uint32_t handle, uint64_t offset,
	     uint64_t addr, uint64_t size, uint32_t flags);
int bind_range(int fd, uint32_t vm, uint32_t op, uint64_t addr, uint64_t size);
int exec_wait(int fd, uint32_t vm, const struct drm_sgpu_cmd *cmds,
	      uint32_t count);

uint32_t crc32_add(uint32_t crc, const void *data, size_t size);
const char *error_name(int error);

/* Where to go when mapped memory is gone, once catch_sigbus() was called */
extern __thread sigjmp_buf on_sigbus;

void catch_sigbus(void);
int peek(const uint8_t *map);

int account(const char *kind, unsigned long count);
int demo(const char *input, const char *output);
int selftest(void);
int stress(unsigned int seconds, unsigned long unbinds);

#endif /* _SGPU_CLIENT_H */
