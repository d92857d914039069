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
	struct drm_dev_ctx ctx;
};

struct engine {
	struct drm_dev_ctx_data base;
	void *fifo;
};

struct visitor {
	struct drm_file *drm;
	void *log;
};

static inline struct visitor *to_visitor(struct drm_file *file)
{
	return file->driver_priv;
}

/* Proof that a struct card is registered */
struct card_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct card *card_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct card, ctx);
}

static inline struct card *card_reg_dev(const struct card_reg *reg)
{
	return card_dev(drm_dev_ctx_reg_drm(&reg->base));
}

static inline struct engine *card_reg_data(const struct card_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct engine, base);
}

struct letter {
	struct drm_dev_ctx ctx;
	bool open;
};

static inline struct letter *letter_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct letter, ctx);
}

struct surface {
	struct drm_shmem_obj shmem;
};

DRM_SHMEM_OBJ_TYPE(surface_type, struct surface, shmem, struct surface_unique);

/* One kind of several, whose base is a surface */
struct canvas {
	struct surface base;
	u32 width;
};

struct surfaces {
	DRM_SHMEM_OBJS(struct surface);
};

/* What a client names by an id */
struct stroke {
	struct drm_dev_ctx_id_obj id;
	u32 colour;
};

struct mailbox {
	DRM_VMAP(SZ_4K);
};

struct mailbox_owned {
	DRM_VMAP_OWNED(struct mailbox);
};

struct space_va {
	u32 prot;
};

struct space_bo {
	u32 slot;
};

struct space {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE_VM_BO(space_type, struct space, core, struct space_va, struct surface,
			 shmem.base.base, struct space_bo, void);

/* Another type of address space */
struct room {
	DRM_GPUVM_IMM_CORE(core);
};

DRM_GPUVM_IMM_TYPE(room_type, struct room, core, struct space_va, struct surface,
		   shmem.base.base);

struct loan {
	const struct drm_dev_ctx_bound *bound;
	const struct sg_table *table;
	struct post *post;
};

struct post {
	struct loan loan;
	struct loan *loans;
	const struct drm_dev_ctx_bound *bound;
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

struct parcel {
	struct kref ref;
	struct rcu_head rcu;
	struct mailbox_owned box;
	struct drm_shmem_sgt_owned sgt;
};

struct shipment {
	struct parcel parcels[2];
	char *label;
};

struct task {
	struct drm_sched_job base;
	struct drm_gpuvm_imm_update update;
	struct drm_gpuvm_imm_update *more;
	u32 count;
};

/* Registration data with work items and timers */
struct stamp {
	struct drm_dev_ctx_data base;
	struct work_struct ink;
	struct delayed_work dry;
	struct timer_list press;
	struct timer_list lift;
};

#endif /* _SURFACE_H */
