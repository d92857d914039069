// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Each rule of scripts/coccinelle has to find the lines that end with its name, and
 * no others.
 */

#include "../include/surface.h"

static int surface_flush(struct drm_device *drm)
{
	int idx;

	if (!drm_dev_enter(drm, &idx))			/* raw */
		return -ENODEV;
	if (!surface_idle(drm))
		return -EBUSY;				/* dev-enter */
	drm_dev_exit(idx);				/* raw */
	return 0;
}

static int surface_show(struct drm_file *file, u32 handle)
{
	struct surface *surface = drm_shmem_lookup(&surface_type, file, handle);

	if (!surface)					/* error-pointers */
		return -ENOENT;
	if (drm_shmem_size(&surface->shmem) < SZ_4K)
		return -EINVAL;				/* leaked */
	drm_shmem_put(&surface->shmem);
	return 0;
}

static struct drm_shmem_obj *surface_make(struct drm_device *drm)
{
	struct surface_unique *unique = drm_shmem_create(&surface_type, drm, SZ_4K, NULL);

	if (IS_ERR(unique))
		return ERR_CAST(unique);
	return &drm_shmem_publish(&surface_type, &unique)->shmem;
}

static void surface_peek(struct drm_file *file, u32 handle)
{
	drm_shmem_lookup(&surface_type, file, handle);	/* leaked */
}

static int surface_open(struct drm_shmem_obj *obj, struct drm_file *file)
{
	return drm_shmem_from_obj(&canvas_type, obj)->busy ? -EBUSY : 0;	/* casts */
}

static void surface_close(struct drm_shmem_obj *obj, struct drm_file *file)
{
	struct surface *surface = container_of(obj, struct surface, shmem);	/* casts */

	surface_leave(surface, file);
}

static void surface_forget_all(struct surface *surface)
{
	struct line *line = kmalloc_obj(*line, GFP_NOWAIT);	/* evict */

	guard(mutex)(&surface->lock);				/* evict */
	surface_note(surface, line);
}

static int surface_evict(struct drm_shmem_obj *obj)
{
	struct surface *surface = drm_shmem_from_obj(&surface_type, obj);

	mutex_lock(&surface->lock);				/* evict */
	mutex_unlock(&surface->lock);
	down_read(&surface->sem);				/* evict */
	up_read(&surface->sem);
	if (!down_write_trylock(&surface->sem))
		return -EBUSY;
	surface_forget_all(surface);
	up_write(&surface->sem);
	return surface_vacate(surface);
}

/* Called from elsewhere, it may wait. */
static void surface_refresh(struct surface *surface)
{
	guard(mutex)(&surface->lock);
	surface_vacate(surface);
}

static size_t surface_rss(const struct drm_shmem_obj *obj)
{
	const struct surface *surface = drm_shmem_from_obj(&surface_type, obj);

	mutex_lock(&surface->parts_lock);			/* evict */
	mutex_unlock(&surface->parts_lock);
	return READ_ONCE(surface->parts);
}

static int space_evict(struct drm_gpuvm_imm_core *core, struct drm_gpuvm_bo *vm_bo)
{
	struct space *space = drm_gpuvm_imm_of(&space_type, core);

	ACQUIRE(mutex_intr, slow)(&space->slow);		/* evict */
	if (ACQUIRE_ERR(mutex_intr, &slow))
		return -EBUSY;
	ACQUIRE(mutex_try, lock)(&space->lock);
	if (ACQUIRE_ERR(mutex_try, &lock))
		return -EBUSY;
	guard(spinlock)(&space->entries_lock);
	return space_vacate(space, vm_bo);
}

const struct surface_type surface_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.flags = DRM_SHMEM_RECLAIM,
	.base.open = surface_open,
	.base.close = surface_close,
	.base.evict = surface_evict,
	.base.rss = surface_rss,
};

static int surface_bind(struct drm_gpuvm_imm *vm, struct surface *surface)
{
	struct drm_gpuvm_bo *bo = drm_gpuvm_imm_obtain(&space_type, vm, surface, NULL);

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	if (!surface_ready(surface))
		return -EAGAIN;				/* leaked */
	drm_gpuvm_imm_bo_put(bo);
	return 0;
}

static const struct card_reg *surface_proof(void *cookie)
{
	return (const struct card_reg *)cookie;		/* forged */
}

static void surface_copy(struct post *to, struct post *from)
{
	memcpy(to, from, sizeof(*to));			/* forged */
}

static void surface_keep(struct post *post, const struct mailbox *box)
{
	post->borrowed = box;				/* kept */
}

static void surface_keep_vm(struct post *post, struct space *space)
{
	post->vm = drm_gpuvm_imm_shared(space->core);			/* kept */
}

static void surface_keep_bound(const struct card_reg *reg, struct post *post)
{
	const struct drm_dev_ctx_bound *bound = &reg->base.bound;
	struct loan loan = { .bound = bound, .post = post };
	struct loan other;

	surface_visit(&loan);
	other.bound = &reg->base.bound;
	surface_visit(&other);
	post->loan = loan;				/* kept */
	*post->loans = other;				/* kept */
	post->loan.bound = bound;			/* kept */
	post->bound = reg ? &reg->base.bound : NULL;		/* kept */
	post->loans[0].post = loan.post;
}

static void surface_keep_literal(const struct card_reg *reg, struct post *post)
{
	struct loan *loan = &post->loan;
	struct loan own, *mine = &own;

	mine->bound = &reg->base.bound;
	surface_visit(mine);
	loan->bound = &reg->base.bound;			/* kept */
	post->loan = (struct loan) {			/* kept */
		.post = post,
		.bound = (const void *)&reg->base.bound,
	};
	post->loan = (struct loan) { .post = surface_post(&reg->base.bound) };
	last_bound = &reg->base.bound;			/* kept */
	WRITE_ONCE(post->bound, &reg->base.bound);		/* kept */
	rcu_assign_pointer(post->bound, mine->bound);	/* kept */
	dev_set_drvdata(post->dev, reg);		/* kept */
	memcpy(&post->loan, &own, sizeof(own));		/* kept */
}

static struct loan surface_lend(struct card *card, struct surface *surface, struct post *post)
{
	const struct drm_dev_ctx_bound *outer = NULL;
	const struct sg_table *table = NULL;
	struct loan none = {};
	int ret;

	drm_dev_ctx_guard(card_reg, reg, &card->ctx) {
		const struct drm_dev_ctx_bound *inner = &reg->base.bound;

		drm_shmem_sgt_guard(sgt, inner, &surface->shmem, ret) {
			struct loan loan = { .table = drm_shmem_sgt_table(sgt) };

			surface_visit(&loan);
			post->loan = loan;		/* kept */
			post->idle = drm_shmem_sgt_table(sgt)->nents == 0;
			if (post->idle)
				table = drm_shmem_sgt_table(sgt);
			surface_show_table(table);
			if (!post->idle)
				post->loan.table = drm_shmem_sgt_table(sgt);	/* kept */
		}
		if (reg == post->reg || !inner)
			post->idle = true;
		outer = inner;				/* kept */
		if (post->idle) {
			struct loan loan = { .bound = inner };

			return loan;			/* kept */
		}
	}
	post->reg = NULL;
	surface_show_bound(outer);
	return none;
}

static void surface_keep_shared(struct post *post, struct space *space)
{
	struct drm_gpuvm_imm *vm = drm_gpuvm_imm_shared(space->core);

	post->length = drm_gpuvm_imm_va_length(vm);
	post->length = drm_gpuvm_imm_va_length(drm_gpuvm_imm_shared(space->core));
	post->vm = drm_gpuvm_imm_get(space->core);
	post->vm = vm;					/* kept */
}

static void surface_lock(struct dma_resv *resv)
{
	dma_resv_lock_interruptible(resv, NULL);	/* lock-ignored */
	dma_resv_unlock(resv);
}

static int surface_acquire(struct dma_resv *resv, struct mutex *mutex)
{
	int ret;

	ACQUIRE(drm_resv_intr, lock)(resv);
	ret = ACQUIRE_ERR(drm_resv_intr, &lock);
	if (ret)
		return ret;
	ACQUIRE(mutex_try, busy)(mutex);		/* lock-ignored */
	return 0;
}

static int surface_map(struct drm_gpuvm_imm *vm, struct drm_gpuvm_imm_update *update,
		       struct surface *surface)
{
	int ret;

	dma_resv_lock(drm_shmem_gem(&surface->shmem)->resv, NULL);
	ret = drm_gpuvm_imm_prepare_map(&space_type, vm, update, surface, 0, SZ_4K, 0, NULL);	/* locked-twice */
	dma_resv_unlock(drm_shmem_gem(&surface->shmem)->resv);
	return ret;
}

static void surface_end(struct surface *surface, struct space *space)
{
	dma_resv_lock(drm_shmem_gem(&surface->shmem)->resv, NULL);
	drm_shmem_put(&surface->shmem);				/* locked-twice */
	drm_gpuvm_imm_fini(space->core);				/* locked-twice */
	dma_resv_unlock(drm_shmem_gem(&surface->shmem)->resv);
	drm_gpuvm_imm_fini(space->core);
	drm_shmem_put(&surface->shmem);
}

static int surface_begin(struct drm_device *drm, struct space *space, spinlock_t *lock)
{
	int ret;

	spin_lock(lock);
	ret = drm_gpuvm_imm_init(&space_type, space, drm, &space_config);	/* atomic */
	if (!ret)
		drm_gpuvm_imm_va_start(drm_gpuvm_imm_shared(space->core));
	spin_unlock(lock);
	return ret;
}

static int surface_count(struct space *space, struct surface *surface)
{
	int count = 0;

	rcu_read_lock();
	drm_gpuvm_imm_for_each_of(va, space->core, drm_shmem_gem(&surface->shmem))	/* atomic */
		count++;
	rcu_read_unlock();
	return count;
}

static int surface_spaces(struct surface *surface, spinlock_t *lock)
{
	int count = 0;

	spin_lock(lock);
	drm_gpuvm_imm_for_each_bo(vm_bo, &space_type, surface)	/* atomic */
		count++;
	spin_unlock(lock);
	return count;
}

static u64 surface_mapped(struct surface *surface)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	u64 bytes = 0;

	drm_gem_for_each_gpuvm_bo(vm_bo, drm_shmem_gem(&surface->shmem)) {	/* raw */
		drm_gpuvm_bo_for_each_va(va, vm_bo)		/* raw */
			bytes += va->va.range;
	}
	drm_gpuvm_imm_for_each_bo(each, &space_type, surface) {
		drm_gpuvm_imm_bo_for_each_va(mapping, each)
			bytes += mapping->va.range;
	}
	return bytes;
}

static const struct drm_gem_object_funcs surface_funcs = {
	.pin = drm_gem_shmem_object_pin,		/* raw */
	.print_info = drm_gem_shmem_object_print_info,
};

static struct drm_gem_object *surface_raw(struct drm_file *file, struct surface *surface)
{
	surface->shmem.base.base.funcs = &surface_funcs;
	drm_gem_object_get(drm_shmem_gem(&surface->shmem));
	if (drm_gem_vmap(drm_shmem_gem(&surface->shmem), NULL))	/* raw */
		return NULL;
	return drm_gem_object_lookup(file, 1);		/* raw */
}

static void engine_shred(struct engine *engine)
{
	kvfree(engine->fifo);
	kfree(engine);
}

static void engine_retire(struct engine *engine)
{
	engine_shred(engine);
}

static int surface_probe(struct device *dev, struct drm_dev_ctx_unreg *unreg, struct engine *engine)
{
	int ret = drm_dev_ctx_register(dev, &unreg, &card_ops, &engine->base);

	if (ret)
		engine_retire(engine);			/* spent */
	return ret;
}

static u64 surface_rebind(struct space *space, struct drm_gpuvm_imm_update *update)
{
	const struct drm_gpuva *va;

	va = drm_gpuvm_imm_find(space->core, 0, SZ_4K);
	if (drm_gpuvm_imm_run(&space_type, space, update, NULL))
		return 0;
	return va->va.addr;				/* spent */
}

static void line_reset(struct line *line)			/* completers */
{
	drm_dev_ctx_guard(card_reg, reg, &line->card->ctx)
		surface_kick(reg);
}

enum drm_gpu_sched_stat line_timedout_job(struct drm_sched_job *job)
{
	drm_sched_stop(job->sched, job);
	line_reset(to_line(job));
	drm_sched_start(job->sched, 0);
	return DRM_GPU_SCHED_STAT_RESET;
}

static int line_copy(struct line *line, void __user *from)
{
	return copy_from_user(line->text, from, line->size) ? -EFAULT : 0;
}

static int line_ioctl(const struct card_reg *reg, struct line *line, void __user *to)
{
	if (line_copy(line, to))					/* usercopy */
		return -EFAULT;
	return put_user(line->size, (u32 __user *)to);		/* usercopy */
}

static bool surface_has(struct surface *surface, struct surface *other, struct drm_gem_object *gem, u64 at)
{
	if (at < drm_shmem_size(&surface->shmem))
		return true;
	return at < gem->size ||				/* rounded */
	       at < surface->shmem.base.base.size ||		/* rounded */
	       at < drm_shmem_gem(&other->shmem)->size;		/* rounded */
}

static int line_light(struct card *card, struct line *line, void __user *from)
{
	drm_dev_ctx_live_or(live, &card->ctx, return -ENODEV);

	surface_kick_bound(&live->bound);
	return line_copy(line, from);				/* usercopy */
}

static int line_fill(struct drm_dev_ctx_ioctl *ioctl, struct line *line, void __user *from)
{
	int ret = line_copy(line, from);

	if (ret)
		return ret;
	drm_dev_ctx_guard(card_reg, reg, ioctl) {
		surface_kick(reg);
		ret = line_copy(line, from);			/* usercopy */
	}
	drm_dev_ctx_guard(card_reg, reg, ioctl)
		line->idle = true;
	if (ret)
		return line_copy(line, from);
	if (line->idle) {
		drm_dev_ctx_or(card_reg, reg, ioctl, return -ENODEV);

		surface_kick(reg);
	}
	if (line_copy(line, from))
		return -EFAULT;
	drm_dev_ctx_or(card_reg, reg, ioctl, return -ENODEV);

	surface_kick(reg);
	return copy_to_user(from, line->text, line->size) ? -EFAULT : 0;	/* usercopy */
}

static int surface_write(struct line *line, struct visitor *visitor)
{
	void *copy = vmemdup_user(line->text, line->size);	/* accounted */

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	kvfree(visitor->log);
	visitor->log = copy;
	return 0;
}

static int visitor_init(struct visitor *visitor)
{
	visitor->log = kvzalloc(SZ_4K, GFP_KERNEL);		/* accounted */
	return visitor->log ? 0 : -ENOMEM;
}

static int visitor_grow(struct visitor *visitor)
{
	visitor->log = kvmalloc(SZ_8K, GFP_KERNEL_ACCOUNT);
	return visitor->log ? 0 : -ENOMEM;
}

static struct engine *visitor_engine(struct visitor *visitor)
{
	return kzalloc_obj(struct engine);			/* accounted */
}

static u64 *visitor_slots(struct visitor *visitor, u32 count)
{
	return kvzalloc_objs(u64, count);			/* accounted */
}

static void visitor_begin(struct visitor *visitor)
{
	xa_init_flags(&visitor->marks, XA_FLAGS_ALLOC);
	xa_init_flags(&visitor->notes, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
}

static int visitor_mark(struct visitor *visitor, u32 *id)
{
	int ret = xa_alloc(&visitor->notes, id, visitor, xa_limit_16b, GFP_KERNEL_ACCOUNT);

	if (ret)
		return ret;
	return xa_alloc(&visitor->marks, id, visitor, xa_limit_16b, GFP_KERNEL_ACCOUNT); /* accounted */
}

static int surface_try(struct surface *surface, spinlock_t *lock)
{
	int ret;

	spin_lock(lock);
	drm_vmap_guard_interruptible(mailbox, box, &surface->shmem, ret)	/* atomic */
		drm_vmap_write32(box, 0, 1);
	spin_unlock(lock);
	dma_resv_lock(drm_shmem_gem(&surface->shmem)->resv, NULL);
	drm_vmap_guard_interruptible(mailbox, box, &surface->shmem, ret)	/* locked-twice */
		drm_vmap_write32(box, 0, 1);
	dma_resv_unlock(drm_shmem_gem(&surface->shmem)->resv);
	return ret;
}

static void surface_drop(struct surface *surface, spinlock_t *lock)
{
	spin_lock(lock);
	drm_shmem_put(&surface->shmem);				/* atomic */
	spin_unlock(lock);
	drm_shmem_put(&surface->shmem);
}

static int surface_clear(struct surface *surface)
{
	int ret;

	preempt_disable();
	drm_vmap_guard(mailbox, box, &surface->shmem, ret)	/* atomic */
		drm_vmap_write32(box, 0, 0);
	preempt_enable();
	return ret;
}

static void surface_give_up(const struct card_reg *reg, struct card *card)
{
	drm_dev_ctx_unregister(&card->ctx);		/* waits */
}

static int surface_reset(struct device *dev, struct engine *engine, bool idle)
{
	int ret = -EBUSY;

	if (!idle)
		goto out;				/* jumps */
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) = drm_dev_ctx_alloc(dev, &card_driver, struct card, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	ret = drm_dev_ctx_register(dev, &unreg, &card_ops, &engine->base);
out:
	return ret;
}

static int surface_light(struct card *card, bool idle)
{
	if (idle)
		goto out;				/* jumps */
	drm_dev_ctx_live_or(live, &card->ctx, return -ENODEV);

	surface_lamp(live);
out:
	return 0;
}

static void surface_done(struct work_struct *work)
{
	struct post *post = container_of(work, struct post, work);

	drm_dev_ctx_or(card_reg, reg, &post->card->ctx, return);

	complete(&post->done);				/* completers */
}

static int surface_forget(struct drm_gpuvm_imm *vm, struct surface *surface)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = drm_gpuvm_imm_prepare_map(&space_type, vm, update, surface, 0, SZ_4K, 0, NULL);	/* unrun */
	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&space_type, update)->prot = 1;
	return 0;
}

static int surface_move(struct space *space, struct surface *surface)
{
	DRM_GPUVM_IMM_UPDATE(update);
	int ret;

	ret = drm_gpuvm_imm_prepare_map(&space_type, drm_gpuvm_imm_shared(space->core), update,
					surface, 0, SZ_4K, 0, NULL);
	if (ret)
		return ret;
	drm_gpuvm_imm_update_data(&space_type, update)->prot = 1;
	return drm_gpuvm_imm_run(&space_type, space, update, NULL);
}

static struct drm_gpuvm_imm_mapped *
space_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
{
	struct room *room = drm_gpuvm_imm_of(&room_type, core);			/* steps */

	if (room_write(room, step->addr, step->range))
		return NULL;
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
space_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
{
	struct space *space = container_of(core, struct space, core[0]);	/* steps */

	space_clear(space, step->va);
	return drm_gpuvm_imm_unmap_done(step);
}

static void space_flush(struct drm_gpuvm_imm_core *core,
			const struct drm_gpuvm_imm_unmap_step *step)
{
	struct bundle *asked = drm_gpuvm_imm_unmap_ctx(&space_type, core, step);
	struct bundle *other = drm_gpuvm_imm_unmap_ctx(&space_type, core, step);
	struct bundle *bundle = drm_gpuvm_imm_unmap_ctx(&space_type, core, step);

	if (asked)
		asked->count++;
	space_count(space_of(core), other ? &other->count : NULL);
	bundle->count++;				/* steps */
}

static struct drm_gpuvm_imm_remapped *
space_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
{
	space_clear(drm_gpuvm_imm_of(&space_type, core), step->va);
	return drm_gpuvm_imm_remap_done(step);
}

const struct space_type space_type = {
	.base.granule = SZ_4K,
	.base.map = space_map,
	.base.unmap = space_unmap,
	.base.remap = space_remap,
	.base.evict = space_evict,
};

static void parcel_free(struct parcel *parcel)
{
	drm_vmap_cleanup(&parcel->box);
	kfree(parcel);					/* leaked */
}

static void parcel_end(struct parcel *parcel)
{
	drm_shmem_sgt_cleanup(&parcel->sgt);
	drm_vmap_cleanup(&parcel->box);
}

static void parcel_put(struct kref *ref)
{
	struct parcel *parcel = container_of(ref, struct parcel, ref);

	parcel_end(parcel);
	kfree_rcu(parcel, rcu);
}

static void parcel_log(struct parcel *parcel)
{
	pr_debug("%p\n", parcel);
}

static void shipment_free(struct shipment *shipment)
{
	parcel_log(&shipment->parcels[0]);
	kfree(shipment->label);
	kfree(shipment);
}

static void shipment_lose(struct shipment *shipment)
{
	kfree(shipment->label);
	kfree(shipment);				/* leaked */
}

static void space_free(struct space *space)
{
	drm_gpuvm_imm_fini(space->core);
	kfree(space);
}

static void task_free(struct drm_sched_job *job)
{
	struct task *task = container_of(job, struct task, base);

	drm_sched_job_cleanup(job);
	kfree(task);					/* leaked */
}

static void task_forget(struct task *task)
{
	kvfree(task->more);				/* leaked */
}

static void task_drop(struct task *task)
{
	for (u32 i = 0; i < task->count; i++)
		drm_gpuvm_imm_update_drop(&task->more[i]);
	kvfree(task->more);
}

static struct parcel *parcel_new(const struct card_reg *reg, struct surface *surface)
{
	struct drm_shmem_sgt_owned sgt __cleanup(drm_vmap_cleanup) = {};	/* leaked */
	struct drm_shmem_sgt_owned other = {};				/* leaked */
	struct parcel *parcel = kzalloc_obj(*parcel);
	int ret;

	if (!parcel)
		return NULL;
	ret = drm_vmap_own(&parcel->box, &surface->shmem);
	if (ret) {
		kfree(parcel);
		return NULL;
	}
	ret = drm_shmem_sgt_own(&parcel->sgt, &reg->base.bound, &surface->shmem);
	if (ret) {
		kfree(parcel);				/* leaked */
		return NULL;
	}
	return parcel;
}

static struct parcel *parcel_make(const struct card_reg *reg, struct surface *surface)
{
	struct drm_shmem_sgt_owned sgt __cleanup(drm_shmem_sgt_cleanup) = {};
	struct parcel *parcel = kzalloc_obj(*parcel);

	if (!parcel)
		return NULL;
	if (drm_vmap_own(&parcel->box, &surface->shmem)) {
		kfree(parcel);
		return NULL;
	}
	if (drm_shmem_sgt_own(&parcel->sgt, &reg->base.bound, &surface->shmem)) {
		drm_vmap_cleanup(&parcel->box);
		kfree(parcel);
		return NULL;
	}
	return parcel;
}

static struct card *surface_alloc(struct device *dev)
{
	return devm_drm_dev_alloc(dev, &card_driver, struct card, drm);	/* raw */
}

static int surface_stop(struct drm_shmem_sgt_owned *sgt, bool idle)
{
	if (idle)
		drm_shmem_sgt_release(sgt);
	return surface_program(sgt);			/* spent */
}

static int surface_hand_over(struct drm_shmem_sgt_owned *to, struct drm_shmem_sgt_owned *from)
{
	drm_shmem_sgt_move(to, from);
	return surface_program(from);			/* spent */
}

static int surface_wake(struct device *dev, bool idle)
{
	int ret = 0;

	if (idle)
		goto out;				/* jumps */
	ACQUIRE(pm_runtime_active_try, pm)(dev);
	ret = ACQUIRE_ERR(pm_runtime_active_try, &pm);
out:
	return ret;
}

static void own_release(struct drm_device *drm)
{
	card_dev(drm)->busy = false;
}

static void other_release(struct drm_device *drm)
{
	letter_dev(drm)->open = false;
}

static const struct drm_driver own_driver = {
	.release = own_release,
};

static const struct drm_driver other_driver = {
	.release = other_release,
};

static struct drm_dev_ctx_unreg *surface_other(struct device *dev, struct device *parent, bool own)
{
	if (own)
		return drm_dev_ctx_alloc(dev, &own_driver, struct card, ctx);
	return drm_dev_ctx_alloc_parent(dev, parent, &other_driver, struct card, ctx);	/* belongs */
}

static void surface_crtc_disable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	drm_dev_ctx_guard(card_reg, reg, to_drm_dev_ctx(crtc->dev))		/* display */
		surface_kick(reg);
}

static void surface_plane_off(struct drm_device *drm)
{
	drm_dev_ctx_or(card_reg, reg, to_drm_dev_ctx(drm), return);		/* display */

	surface_kick(reg);
}

static void surface_plane_update(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	surface_plane_off(plane->dev);
}

static void surface_plane_disable(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	drm_dev_ctx_guard_else(card_reg, reg, to_drm_dev_ctx(plane->dev), surface_lost(plane)) {	/* display */
		surface_kick(reg);
	}
}

static void surface_kms_shutdown(const struct drm_dev_ctx_live *live,
				 struct drm_dev_ctx_data *data)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);

	drm_dev_ctx_guard(card_reg, reg, to_drm_dev_ctx(drm))			/* display */
		drm_atomic_helper_shutdown(drm);
}

static void right_crtc_enable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(crtc->dev))
		surface_kick_bound(&live->bound);
}

/* Userspace asks for modes, which it does not after the unplug. */
static int right_get_modes(struct drm_connector *connector)
{
	drm_dev_ctx_or(card_reg, reg, to_drm_dev_ctx(connector->dev), return 0);

	return surface_kick(reg);
}

static const struct drm_crtc_helper_funcs surface_crtc_funcs = {
	.atomic_enable = right_crtc_enable,
	.atomic_disable = surface_crtc_disable,
};

static const struct drm_plane_helper_funcs surface_plane_funcs = {
	.atomic_update = surface_plane_update,
	.atomic_disable = surface_plane_disable,
};

static const struct drm_connector_helper_funcs surface_connector_funcs = {
	.get_modes = right_get_modes,
};

static const struct drm_dev_ctx_ops surface_ops = {
	.kms_shutdown = surface_kms_shutdown,
};

static int stamp_probe(struct platform_device *pdev, struct stamp *stamp)
{
	INIT_WORK(&stamp->ink, stamp_ink);
	INIT_DELAYED_WORK(&stamp->dry, stamp_dry);		/* quiesce */
	timer_setup(&stamp->press, stamp_press, 0);
	timer_setup(&stamp->lift, stamp_lift, 0);		/* quiesce */
	return devm_request_irq(&pdev->dev, 1, stamp_irq, 0, "stamp", stamp);	/* quiesce */
}

static void stamp_stop(struct stamp *stamp)
{
	disable_work_sync(&stamp->ink);
	timer_delete(&stamp->lift);
}

static void stamp_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct stamp *stamp = container_of(data, struct stamp, base);

	stamp_stop(stamp);
	timer_shutdown_sync(&stamp->press);
}

static const struct drm_dev_ctx_ops stamp_ops = {
	.quiesce = stamp_quiesce,
};

static void letter_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	engine_stop(container_of(data, struct engine, base));	/* registered */
}

static void letter_release(struct drm_dev_ctx_data *data)
{
	struct engine *engine = container_of(data, struct engine, base);	/* registered */

	engine_shred(engine);
}

static void letter_stop(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data)
{
	engine_stop(container_of(data, struct engine, base));	/* registered */
}

static void letter_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	engine_stop(container_of(data, struct engine, base));	/* registered */
}

static const struct drm_dev_ctx_ops letter_ops = {
	.stop = letter_stop,
	.kms_shutdown = letter_shutdown,
	.quiesce = letter_quiesce,
	.release = letter_release,
};

static int letter_register(struct device *dev, struct drm_dev_ctx_unreg *unreg,
			   struct stamp *stamp)
{
	return drm_dev_ctx_register(dev, &unreg, &letter_ops, &stamp->base);
}

static void seal_release(struct drm_dev_ctx_data *data)
{
	engine_shred(container_of(data, struct engine, base));	/* registered */
}

static const struct drm_dev_ctx_ops seal_ops = {
	.release = seal_release,
};

static const struct drm_dev_ctx_live *seal_attach(struct drm_dev_ctx_unreg *unreg, struct stamp *stamp)
{
	return drm_dev_ctx_attach(unreg, &seal_ops, &stamp->base);
}

static void engine_release(struct drm_dev_ctx_data *data)
{
	struct engine *engine = container_of(data, struct engine, base);

	engine_shred(engine);
}

static const struct drm_dev_ctx_ops engine_ops = {
	.release = engine_release,
};

static int engine_register(struct device *dev, struct drm_dev_ctx_unreg *unreg,
			   struct engine *engine)
{
	return drm_dev_ctx_register(dev, &unreg, &engine_ops, &engine->base);
}
