// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * As surface.c: what belongs to others, and waits of a live device.
 */

#include <linux/completion.h>
#include <linux/wait.h>

#include "../include/surface.h"

static int surface_take(const struct card_reg *reg, struct surface *surface, struct parcel *parcel)
{
	guard(drm_resv)(drm_shmem_gem(&surface->shmem)->resv);
	return drm_shmem_sgt_own(&parcel->sgt, &reg->base.bound, &surface->shmem);	/* locked-twice */
}

static int surface_take_locked(const struct card_reg *reg, struct surface *surface, struct parcel *parcel)
{
	guard(drm_resv)(drm_shmem_gem(&surface->shmem)->resv);
	return drm_shmem_sgt_own_locked(&parcel->sgt, &reg->base.bound, &surface->shmem);
}

static int surface_take_scoped(const struct card_reg *reg, struct surface *surface, struct parcel *parcel)
{
	int ret;

	scoped_guard(drm_resv, drm_shmem_gem(&surface->shmem)->resv)
		ret = drm_shmem_sgt_own(&parcel->sgt, &reg->base.bound, &surface->shmem);	/* locked-twice */
	if (ret)
		return ret;
	scoped_guard(drm_resv, drm_shmem_gem(&surface->shmem)->resv) {
		surface->busy = true;
	}
	return drm_vmap_own(&parcel->box, &surface->shmem);
}

static int surface_take_killable(struct surface *surface, struct parcel *parcel)
{
	int ret;

	if (!surface->busy) {
		ACQUIRE(drm_resv_kill, lock)(drm_shmem_gem(&surface->shmem)->resv);
		ret = ACQUIRE_ERR(drm_resv_kill, &lock);
		if (ret)
			return ret;
		drm_vmap_guard(mailbox, box, &surface->shmem, ret)	/* locked-twice */
			drm_vmap_write32(box, 0, 0);
	}
	return drm_vmap_own(&parcel->box, &surface->shmem);
}

static int vram_take(const struct card_reg *reg, struct drm_gem_sgt_owned *own, struct drm_gem_sgt *sgt,
		     struct dma_resv *resv)
{
	int ret = drm_resv_lock_killable(resv);

	if (ret)
		return ret;
	ret = drm_gem_sgt_own(own, &reg->base.bound, sgt);	/* locked-twice */
	dma_resv_unlock(resv);
	return ret;
}

static int surface_try(struct surface *surface)
{
	int ret = dma_resv_lock_interruptible(drm_shmem_gem(&surface->shmem)->resv, NULL);

	if (ret) {
		drm_shmem_put(&surface->shmem);
		return ret;
	}
	dma_resv_unlock(drm_shmem_gem(&surface->shmem)->resv);
	return 0;
}

static int surface_try_more(struct surface *surface, struct parcel *parcel)
{
	int ret;

	ret = dma_resv_lock_interruptible(drm_shmem_gem(&surface->shmem)->resv, NULL);
	if (ret)
		goto put;
	ret = drm_vmap_own(&parcel->box, &surface->shmem);	/* locked-twice */
	dma_resv_unlock(drm_shmem_gem(&surface->shmem)->resv);
put:
	drm_shmem_put(&surface->shmem);
	return ret;
}

static void surface_fini(struct drm_shmem_obj *obj)
{
	struct surface *surface = drm_shmem_from_obj(&surface_type, obj);

	kfree(surface);					/* leaked */
}

static void card_free(struct card *card, struct drm_shmem_obj *obj)
{
	kfree(obj);					/* leaked */
	kvfree(card);					/* leaked */
}

static int surface_show_all(struct drm_file *file, u32 handle)
{
	struct surface *surface __free(kfree) = drm_shmem_lookup(&surface_type, file, handle);	/* leaked */

	return PTR_ERR_OR_ZERO(surface);
}

/* The name of a member tells nothing. */
static void line_free(struct line *surface)
{
	kfree(surface);
}

static struct sg_table *surface_table(struct surface *surface, struct post *post)
{
	struct drm_gem_shmem_object *shmem = &surface->shmem.base;

	if (shmem->vaddr)				/* raw */
		return shmem->sgt;			/* raw */
	surface_check(post->base.sgt);
	return surface->shmem.base.sgt;			/* raw */
}

static void surface_dismiss(struct mailbox *box)
{
	struct drm_gem_object *gem = drm_vmap_gem(box);

	surface_note(gem);
	drm_gem_object_put(gem);			/* borrowed */
}

static void surface_dismiss_twice(struct mailbox *box)
{
	drm_gem_object_put(drm_vmap_gem(box));		/* borrowed */
	drm_shmem_put(&drm_vmap_obj(&surface_type, box)->shmem);	/* borrowed */
}

static void surface_hold(struct mailbox *box)
{
	struct drm_gem_object *gem = drm_vmap_gem(box);

	drm_gem_object_get(gem);
	surface_note(gem);
	drm_gem_object_put(gem);
}

/* Each end is for variables of some types, and the compiler takes any. */
static int surface_ends(struct visitor *visitor, struct drm_file *file, u32 id)
{
	struct surface *surface __free(drm_shmem) = drm_shmem_lookup(&surface_type, file, id);
	struct surface_unique *unique __free(drm_shmem) = surface_begin(file);
	struct canvas *canvas __free(drm_shmem) = canvas_of(file, id);
	struct drm_shmem_obj *obj __free(drm_shmem) = surface_any(file, id);
	struct surfaces *all __free(drm_shmem_objs) = surfaces_of(file, id);
	struct stroke *stroke __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(&visitor->strokes, id);
	struct mailbox_owned box __cleanup(drm_vmap_cleanup) = {};

	return surface_paint(surface, unique, canvas, obj, all, stroke, &box);
}

static int surface_ends_mixed(struct visitor *visitor, struct drm_file *file, u32 id)
{
	struct stroke *stroke __free(drm_shmem) = stroke_of(visitor, id);	/* leaked */
	struct post *post __free(drm_shmem) = post_of(visitor, id);		/* leaked */
	struct surfaces *some __free(drm_shmem) = surfaces_of(file, id);	/* leaked */
	struct drm_gem_object *gem __free(drm_shmem) = surface_gem(file, id);	/* leaked */
	void *any __free(drm_shmem) = surface_any(file, id);			/* leaked */
	struct surface **where __free(drm_shmem) = surface_where(file, id);	/* leaked */
	struct surface *one __free(drm_shmem_objs) = surface_of(file, id);	/* leaked */
	struct surface *surface __free(drm_dev_ctx_id) = surface_of(file, id);	/* leaked */
	struct surface_unique *unique __free(drm_dev_ctx_id) = surface_begin(file);	/* leaked */
	struct mailbox_owned *box __cleanup(drm_vmap_cleanup) = box_of(file);	/* leaked */

	return surface_paint(stroke, post, some, gem, any, where, one, surface, unique, box);
}

/* The address of a mapping, and what else ends with a loan */
static u32 surface_address(struct surface *surface, struct post *post)
{
	struct iosys_map map = {}, other = {};
	u32 *mine = NULL;
	int ret;

	drm_vmap_guard(mailbox, box, &surface->shmem, ret) {
		u32 *words = drm_vmap_unsafe_ptr(box);

		post->words = words;					/* kept */
		post->words = (u32 *)drm_vmap_unsafe_ptr(box) + 4;	/* kept */
		post->regs = drm_vmap_unsafe_map(box).vaddr_iomem;	/* kept */
		last_words = drm_vmap_unsafe_ptr(box);			/* kept */
		post->narrow = drm_vmap_narrow(slot, box);		/* kept */
		post->narrow = (drm_vmap_narrow(slot, box));		/* kept */
		post->idle = drm_vmap_unsafe_map(box).is_iomem;
		post->length = *(u32 *)drm_vmap_unsafe_ptr(box);
		post->length = ((u32 *)drm_vmap_unsafe_ptr(box))[1];
		post->length = surface_sum(drm_vmap_unsafe_ptr(box));
		post->length = drm_vmap_read32(drm_vmap_narrow(slot, box), 0);
		map = drm_vmap_unsafe_map(box);				/* kept */
		other = drm_vmap_unsafe_map(box);
		mine = drm_vmap_unsafe_ptr(box);
		surface_note(mine, &other);
	}
	other = surface_map(surface);
	surface_note(&map, &other);
	return ret;
}

static int card_lend(struct card *card, const struct card_reg *reg, struct drm_gem_sgt *vram,
		     struct surface *surface, struct post *post)
{
	int ret;

	post->live = drm_dev_ctx_reg_live(&reg->base);		/* kept */
	post->length = card_count(drm_dev_ctx_reg_live(&reg->base));
	drm_gem_sgt_or(lent, &reg->base.bound, vram, ret, return ret);
	post->length = surface_count(drm_gem_sgt_table(lent));
	post->loan.table = drm_gem_sgt_table(lent);		/* kept */
	drm_shmem_sgt_or(sgt, &reg->base.bound, &surface->shmem, ret, return ret);
	post->length = surface_count(drm_shmem_sgt_table(sgt));
	return card_paint(card, drm_dev_ctx_reg_live(&reg->base));
}

static int stroke_renew(struct visitor *visitor, u32 id)
{
	struct stroke *stroke __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(&visitor->strokes, id);
	struct stroke *other __free(drm_dev_ctx_id) = drm_dev_ctx_id_lookup(&visitor->strokes, id);
	int ret;

	drm_dev_ctx_id_reserve_or(slot, &visitor->strokes, ret, return ret);
	other = stroke_copy(stroke);
	ret = drm_dev_ctx_id_publish(slot, &other);
	return ret ?: drm_dev_ctx_id_publish(slot, &stroke);	/* leaked */
}

static void card_put(const struct card_reg *reg)
{
	struct drm_device *drm = drm_dev_ctx_reg_drm(&reg->base);

	drm_dev_put(drm);				/* borrowed */
}

static void space_va_put(const struct drm_gpuva *va)
{
	drm_shmem_put(&drm_gpuvm_imm_va_obj(&space_type, va)->shmem);	/* borrowed */
}

static void card_wait(struct post *post, struct wait_queue_head *wq)
{
	wait_event(*wq, post->idle);
}

static void card_callback(struct card *card, struct post *post, struct wait_queue_head *wq)
{
	wait_event(*wq, post->idle);
	drm_dev_ctx_guard_callback(live, &card->ctx) {
		wait_event(*wq, post->idle);		/* unlimited */
		card_wait(post, wq);			/* unlimited */
		wait_event(*wq, post->idle || drm_dev_ctx_live_ending(live));
		wait_event_timeout(*wq, post->idle, HZ);
		drm_dev_ctx_wait_event(live, *wq, post->idle, MAX_SCHEDULE_TIMEOUT);
		surface_idle(post);
	}
	wait_for_completion(&post->done);
}

static void card_flush(struct card *card, struct post *post)
{
	drm_dev_ctx_guard_live(live, &card->ctx)
		wait_for_completion(&post->done);	/* unlimited */
}

static int card_drain(struct card *card, struct post *post)
{
	drm_dev_ctx_live_or(live, &card->ctx, return -ENODEV);
	return wait_for_completion_interruptible(&post->done);	/* unlimited */
}

static void card_stop_display(const struct drm_dev_ctx_live *live, struct post *post)
{
	if (wait_for_completion_timeout(&post->done, HZ))
		return;
	dma_fence_wait(post->fence, false);		/* unlimited */
}

/* A section, which stop can end */
static int card_pause(const struct card_reg *reg, struct post *post)
{
	return wait_for_completion_killable(&post->done);
}
