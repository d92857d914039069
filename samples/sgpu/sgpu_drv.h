/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_DRV_H
#define _SGPU_DRV_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>

#include "drm_dev_ctx.h"
#include "drm_dev_ctx_ids.h"
#include "drm_shmem_reclaim.h"
#include "sgpu_uapi.h"

/* Limits the time that a command can take */
#define SGPU_MAX_CMD_SIZE	((u64)SZ_1G)

/* A device: the members that live until its last reference is gone */
struct sgpu_device {
	struct drm_dev_ctx ctx;
	struct drm_shmem_shrinker shrinker;
};

struct sgpu_vms {
	DRM_DEV_CTX_IDS(struct sgpu_vm);
};

/*
 * struct sgpu_file - an open file, with the objects of its client
 *
 * The keys of @vmaps are the numbers that the client uses, from 1.
 *
 * Invariants:
 *
 * - @ref counts the open file, @vmaps_work if it was queued, and each address space of the file,
 *   which may end after the file was closed. @drm and @vms belong to the open file.
 * - @vmaps belongs to the open file, and after the close to @vmaps_work: a killed client must not
 *   wait for locks when its file is closed.
 * - @vm_count and @job_count count the address spaces and jobs that are not freed yet. So a client
 *   cannot pile up objects that are waiting to be freed.
 */
struct sgpu_file {
	struct drm_file *drm;
	struct sgpu_vms vms;
	struct xarray vmaps;
	struct work_struct vmaps_work;

	struct kref ref;
	atomic_t vm_count;	/* at most DRM_SGPU_MAX_VMS */
	atomic_t job_count;	/* at most DRM_SGPU_MAX_JOBS */
};

/* Proof that a struct sgpu_device is registered */
struct sgpu_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct sgpu_device *sgpu_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct sgpu_device, ctx);
}

static inline struct sgpu_device *sgpu_reg_dev(const struct sgpu_reg *reg)
{
	return sgpu_dev(drm_dev_ctx_reg_drm(&reg->base));
}

/* The numbers of live objects, shown by the module parameter "live" */
struct sgpu_live {
	atomic_t devices;
	atomic_t bos;
	atomic_t vmaps;
	atomic_t vms;
	atomic_t jobs;
};

extern struct sgpu_live sgpu_live;

/* For work that may sleep or take locks that jobs wait for, mostly freeing */
extern struct workqueue_struct *sgpu_wq;

struct sgpu_file *sgpu_file_get(struct sgpu_file *file);
void sgpu_file_put(struct sgpu_file *file);
void *sgpu_copy_array(u64 user, u32 count, size_t size);

#endif /* _SGPU_DRV_H */
