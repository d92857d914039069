// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/cache.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/overflow.h>

#include <drm/drm_managed.h>

#include "drm_dev_ctx.h"

/*
 * struct drm_dev_ctx - what the library keeps for a device
 *
 * Sits in front of the driver's struct in the same allocation, so that it is
 * reached from the struct drm_device without a look-up and lives as long.
 *
 * Invariants:
 *
 * - @unreg holds @drm while the parent is bound.
 * - @revocables is changed under @lock, by holders of a proof or of
 *   @revoke_sem; its entries are revoked under @revoke_sem held for writing.
 * - @ops and @data are set while the device is registered or being so.
 */
struct drm_dev_ctx {
	struct drm_device *drm;
	struct drm_dev_unreg unreg;
	const struct drm_dev_reg_ops *ops;
	void *data;

	struct rw_semaphore revoke_sem;
	spinlock_t lock;
	struct list_head revocables;
};

/* The invariant of struct drm_dev_ctx: it starts the device's allocation. */
static struct drm_dev_ctx *to_drm_dev_ctx(struct drm_device *drm)
{
	return drm->managed.final_kfree;
}

static size_t drm_dev_ctx_size(void)
{
	return ALIGN(sizeof(struct drm_dev_ctx), SMP_CACHE_BYTES);
}

static void drm_dev_ctx_revoke_all(struct drm_dev_ctx *ctx)
{
	struct drm_dev_revocable *rev;

	down_write(&ctx->revoke_sem);
	for (;;) {
		scoped_guard(spinlock, &ctx->lock) {
			rev = list_first_entry_or_null(&ctx->revocables,
						       struct drm_dev_revocable,
						       __node);
			if (rev)
				list_del_init(&rev->__node);
		}
		if (!rev)
			break;
		rev->__revoke(rev);
	}
	up_write(&ctx->revoke_sem);
}

/* The older devres action: the parent has no driver any more. */
static void drm_dev_ctx_unbind(void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_ctx_revoke_all(ctx);
	drm_dev_put(ctx->drm);
}

static void drm_dev_ctx_release_data(struct drm_dev_ctx *ctx)
{
	if (ctx->ops && ctx->ops->release)
		ctx->ops->release(ctx->data);
	ctx->data = NULL;
}

/* The younger devres action: the device is going away or was unregistered. */
static void drm_dev_ctx_unplug(void *res)
{
	struct drm_dev_ctx *ctx = res;

	drm_dev_unplug(ctx->drm);
	if (ctx->ops && ctx->ops->quiesce)
		ctx->ops->quiesce(&ctx->unreg.bound, ctx->data);
	drm_dev_ctx_release_data(ctx);
}

/**
 * __drm_dev_ctx_alloc() - allocate a device in its unregistered context
 * @parent: the device that is being bound
 * @driver: the DRM driver
 * @size: size in bytes of the driver's struct
 * @offset: offset in bytes of the &struct drm_device in it
 *
 * Context: May sleep. Called from the probe function of @parent's driver.
 *
 * Return: the token, or an ERR_PTR().
 */
struct drm_dev_unreg *__drm_dev_ctx_alloc(struct device *parent,
					  const struct drm_driver *driver,
					  size_t size, size_t offset)
{
	struct drm_dev_ctx *ctx;
	int ret;

	size = size_add(drm_dev_ctx_size(), size);
	offset = size_add(drm_dev_ctx_size(), offset);
	if (size_add(offset, sizeof(struct drm_device)) > size)
		return ERR_PTR(-EINVAL);

	ctx = __drm_dev_alloc(parent, driver, size, offset);
	if (IS_ERR(ctx))
		return ERR_CAST(ctx);

	ctx->drm = (void *)ctx + offset;
	ctx->unreg.bound.__drm = ctx->drm;
	init_rwsem(&ctx->revoke_sem);
	spin_lock_init(&ctx->lock);
	INIT_LIST_HEAD(&ctx->revocables);

	ret = devm_add_action_or_reset(parent, drm_dev_ctx_unbind, ctx);
	if (ret)
		return ERR_PTR(ret);

	return &ctx->unreg;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_alloc);

/**
 * __drm_dev_unreg_drop() - give up a device that was not registered
 * @unreg: the token
 *
 * Context: May sleep.
 */
void __drm_dev_unreg_drop(struct drm_dev_unreg *unreg)
{
	struct drm_dev_ctx *ctx = container_of(unreg, struct drm_dev_ctx, unreg);

	devm_release_action(ctx->drm->dev, drm_dev_ctx_unbind, ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_unreg_drop);

/**
 * __drm_dev_ctx_register() - register a device
 * @parent: the device that is being bound
 * @unreg: the token, consumed
 * @ops: the driver's part of the registration, or NULL
 * @data: registration data, owned by the registration
 *
 * See drm_dev_ctx_register(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_register(struct device *parent, struct drm_dev_unreg *unreg,
			   const struct drm_dev_reg_ops *ops, void *data)
{
	struct drm_dev_ctx *ctx = container_of(unreg, struct drm_dev_ctx, unreg);
	int ret;

	ctx->ops = ops;
	ctx->data = data;

	if (parent != ctx->drm->dev) {
		ret = -EINVAL;
		goto err_release;
	}

	/*
	 * Publishes @ops and @data before drm_dev_register() sets @registered;
	 * pairs with the acquire in __drm_dev_reg_enter().
	 */
	smp_wmb();
	ret = drm_dev_register(ctx->drm, 0);
	if (ret)
		goto err_release;

	ret = devm_add_action_or_reset(parent, drm_dev_ctx_unplug, ctx);
	if (ret)
		goto err_drop;

	return 0;

err_release:
	drm_dev_ctx_release_data(ctx);
err_drop:
	__drm_dev_unreg_drop(unreg);
	return ret;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_register);

/**
 * drm_dev_ctx_unregister() - unplug a device before its parent is unbound
 * @drm: the device
 *
 * Context: May sleep. Not from a section that needs the registration.
 */
void drm_dev_ctx_unregister(struct drm_device *drm)
{
	devm_release_action(drm->dev, drm_dev_ctx_unplug, to_drm_dev_ctx(drm));
}
EXPORT_SYMBOL_GPL(drm_dev_ctx_unregister);

/**
 * __drm_dev_reg_data() - the registration data
 * @reg: proof that there is some
 *
 * Return: what was given to drm_dev_ctx_register(), for the scope of @reg.
 */
void *__drm_dev_reg_data(const struct drm_dev_reg *reg)
{
	return to_drm_dev_ctx(reg->bound.__drm)->data;
}
EXPORT_SYMBOL_GPL(__drm_dev_reg_data);

/**
 * drm_dev_revocable_add() - have something revoked when the parent is unbound
 * @bound: proof that it is bound
 * @rev: zeroed, or taken off the list before
 * @revoke: called when the parent is unbound, with revocation blocked for
 *	everyone else; @rev is off the list and may be added no more
 *
 * Context: Any that can take a spinlock. Cannot fail.
 */
void drm_dev_revocable_add(const struct drm_dev_bound *bound,
			   struct drm_dev_revocable *rev,
			   void (*revoke)(struct drm_dev_revocable *rev))
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(bound->__drm);

	rev->__revoke = revoke;
	guard(spinlock)(&ctx->lock);
	list_add_tail(&rev->__node, &ctx->revocables);
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_add);

/**
 * drm_dev_revocable_del() - take something off the list again
 * @drm: the device
 * @rev: on the list, or revoked already
 *
 * Context: Between drm_dev_revoke_block() and drm_dev_revoke_unblock().
 */
void drm_dev_revocable_del(struct drm_device *drm,
			   struct drm_dev_revocable *rev)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	guard(spinlock)(&ctx->lock);
	list_del_init(&rev->__node);
}
EXPORT_SYMBOL_GPL(drm_dev_revocable_del);

/**
 * drm_dev_revoke_block() - keep revocation from running
 * @drm: the device
 *
 * Waits for a revocation that runs already. What is on the list then stays
 * valid until drm_dev_revoke_unblock().
 *
 * Context: May sleep. Outside of the locks that revoke functions take, which
 * are reservation locks; holders of those use drm_dev_revoke_tryblock().
 */
void drm_dev_revoke_block(struct drm_device *drm)
{
	down_read(&to_drm_dev_ctx(drm)->revoke_sem);
}
EXPORT_SYMBOL_GPL(drm_dev_revoke_block);

/**
 * drm_dev_revoke_tryblock() - keep revocation from running, without waiting
 * @drm: the device
 *
 * Context: Any process context.
 *
 * Return: false if a revocation runs just now.
 */
bool drm_dev_revoke_tryblock(struct drm_device *drm)
{
	return down_read_trylock(&to_drm_dev_ctx(drm)->revoke_sem);
}
EXPORT_SYMBOL_GPL(drm_dev_revoke_tryblock);

/**
 * drm_dev_revoke_unblock() - let revocation run again
 * @drm: the device
 */
void drm_dev_revoke_unblock(struct drm_device *drm)
{
	up_read(&to_drm_dev_ctx(drm)->revoke_sem);
}
EXPORT_SYMBOL_GPL(drm_dev_revoke_unblock);

MODULE_DESCRIPTION("DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
