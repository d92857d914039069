/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A driver whose names no rule could guess, in a header outside of its directory
 * that includes the library's as they are called in a kernel tree.
 */
#ifndef _SURFACE_H
#define _SURFACE_H

#include <drm/drm_dev_ctx.h>
#include <drm/drm_gpuvm_imm.h>
#include <drm/drm_shmem_safe.h>

struct card {
	struct drm_device drm;
};

struct engine {
	void *fifo;
};

struct visitor {
	struct drm_file *drm;
	void *log;
};

DRM_DEV_CTX(card, struct card, drm, struct engine,
	    struct visitor);

struct letter {
	struct drm_device drm;
};

DRM_DEV_CTX_NO_FILE(letter, struct letter, drm, void);

struct surface {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ(surface, struct surface, shmem, void);

DEFINE_DRM_VMAP(mailbox, SZ_4K);

struct space_va {
	u32 prot;
};

struct space_bo {
	u32 slot;
};

struct space {
	DRM_GPUVM_CORE(core);
};

DRM_GPUVM_IMM_VM_BO(space, struct space, core, struct space_va, struct surface,
		    shmem.base.base, struct space_bo, void);

struct loan {
	const struct drm_dev_bound *bound;
	const struct sg_table *table;
	struct post *post;
};

struct post {
	struct loan loan;
	struct loan *loans;
	const struct drm_dev_bound *bound;
	const struct card_reg *reg;
	struct device *dev;
	u64 length;
	bool idle;
	struct mailbox_owned box;
	const struct mailbox *borrowed;
	struct drm_gpuvm_imm *vm;
	struct card *card;
	struct work_struct work;
	struct completion done;
};

#endif /* _SURFACE_H */
