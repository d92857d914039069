// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/cache.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/rwsem.h>
#include <linux/sched.h>

#include <drm/drm_managed.h>

#include "drm_dev_ctx.h"

/**
 * DOC: overview
 *
 * A DRM device has three lifetimes. The &struct drm_device lives as long as
 * someone holds a reference, an open file for example. The &struct device below
 * it is bound to its driver for a part of that time. The hardware may be used
 * while the device is registered and not unplugged, which is a part of the
 * latter. Each function of a driver runs in one of these contexts, and what it
 * may do depends on which. The contexts of a device are types here: a function
 * asks for the one it needs in its parameters, and to call it from another one
 * does not compile.
 *
 * One line in the driver's header declares them:
 *
 * .. code-block:: c
 *
 *	struct sgpu_device {
 *		struct drm_device drm;
 *		...
 *	};
 *
 *	struct sgpu_hw;			// lives as long as the registration
 *
 *	struct sgpu_file {
 *		struct drm_file *drm;	// set for the driver
 *		...
 *	};
 *
 *	DRM_DEV_CTX(sgpu, struct sgpu_device, drm, struct sgpu_hw,
 *		    struct sgpu_file);
 *
 * From the weakest to the strongest:
 *
 * - *Normal* is the ``struct sgpu_device``. It may not be registered yet, and
 *   the parent may be unbound already. sgpu_dev() gets it from the
 *   &struct drm_device, sgpu_unreg_dev(), sgpu_ioctl_dev() and sgpu_reg_dev()
 *   from the other contexts.
 * - *Ioctl* is ``struct sgpu_ioctl *``: the device has been registered, and may
 *   be unplugged by now.
 * - *Bound* is ``const struct drm_dev_bound *``: the parent is bound. Part of the
 *   two that follow, as ``&unreg->bound`` and ``&reg->bound``.
 * - *Unregistered* is ``struct sgpu_unreg *``, a token that exists once and is
 *   used up by registration.
 * - *Registered* is ``const struct sgpu_reg *``. It exists in the scope of
 *   drm_dev_if_registered() or drm_dev_registered_or(), and in the ioctls that
 *   ask for it. It gives the registration data: sgpu_reg_data().
 *
 * A driver's probe function:
 *
 * .. code-block:: c
 *
 *	static const struct sgpu_reg_ops sgpu_reg_ops = {
 *		.quiesce = sgpu_hw_stop,	// (bound, struct sgpu_hw *)
 *		.release = sgpu_hw_free,	// (struct sgpu_hw *)
 *	};
 *
 *	static int sgpu_probe(struct faux_device *fdev)
 *	{
 *		struct sgpu_unreg *unreg __free(sgpu_unreg) =
 *			sgpu_dev_alloc(&fdev->dev, &sgpu_driver);
 *		struct sgpu_hw *hw;
 *
 *		if (IS_ERR(unreg))
 *			return PTR_ERR(unreg);
 *
 *		hw = sgpu_hw_init(&unreg->bound, sgpu_unreg_dev(unreg));
 *		if (IS_ERR(hw))
 *			return PTR_ERR(hw);
 *
 *		return drm_dev_ctx_register(sgpu, &fdev->dev, unreg,
 *					    &sgpu_reg_ops, hw);
 *	}
 *
 * There is no remove function: when the parent is unbound, the device is
 * unplugged, all sections that need the registration are waited for, the
 * hardware is quiesced, and the registration data is released, in this order.
 *
 * Ioctls and files:
 *
 * .. code-block:: c
 *
 *	static int sgpu_ioctl_bo_create(const struct sgpu_reg *reg,
 *					struct drm_sgpu_bo_create *args,
 *					struct sgpu_file *file);
 *
 *	#define SGPU_IOCTLS(X)						\
 *		X(SGPU_BO_CREATE, struct drm_sgpu_bo_create,		\
 *		  sgpu_ioctl_bo_create, REGISTERED, DRM_RENDER_ALLOW)	\
 *		X(SGPU_BO_INFO, struct drm_sgpu_bo_info,		\
 *		  sgpu_ioctl_bo_info, NORMAL, DRM_RENDER_ALLOW)
 *
 *	DRM_DEV_IOCTL_TABLE(sgpu, SGPU_IOCTLS);
 *	DRM_DEV_FILE_OPS(sgpu, REGISTERED, sgpu_open, sgpu_postclose);
 *
 *	static const struct drm_driver sgpu_driver = {
 *		.open = sgpu_drm_open,
 *		.postclose = sgpu_drm_postclose,
 *		.ioctls = sgpu_ioctls,
 *		.num_ioctls = ARRAY_SIZE(sgpu_ioctls),
 *		...
 *	};
 *
 * Everywhere else one line opens the section:
 *
 * .. code-block:: c
 *
 *	static void sgpu_hangcheck(struct work_struct *work)
 *	{
 *		struct sgpu_device *sdev = ...;
 *
 *		drm_dev_registered_or(sgpu, reg, &sdev->drm, return);
 *
 *		sgpu_hw_kick(sgpu_reg_data(reg));
 *	}
 */

enum drm_dev_ctx_state {
	DRM_DEV_CTX_UNREGISTERED,
	DRM_DEV_CTX_DROPPED,
	DRM_DEV_CTX_REGISTERED,
	DRM_DEV_CTX_GONE,
};

/*
 * struct drm_dev_ctx - what the library keeps for a device
 *
 * Sits in front of the driver's struct in the same allocation, so that it is
 * reached from the struct drm_device without a look-up and lives as long.
 *
 * Invariants:
 *
 * - @magic and @drm are what to_drm_dev_ctx() expects in each device of ours.
 * - The devres action of the parent holds @drm while the parent is bound.
 * - @state goes from unregistered to dropped, or to registered or directly to
 *   gone, and from registered to gone; under @lock.
 * - @call, @ops and @data are set while the device is registered or being so;
 *   under @lock, or from a section that needs the registration.
 * - @busy is the task that holds @lock.
 * - @revocables is changed under @revocables_lock, by holders of a proof or of
 *   @revoke_sem; its entries are revoked under @revoke_sem held for writing.
 */
struct drm_dev_ctx {
	const void *magic;
	struct drm_device *drm;
	struct drm_dev_unreg unreg;

	struct mutex lock;
	struct task_struct *busy;
	enum drm_dev_ctx_state state;
	drm_dev_reg_call_t *call;
	const void *ops;
	void *data;

	struct rw_semaphore revoke_sem;
	spinlock_t revocables_lock;
	struct list_head revocables;
};

/* Its address is in no memory but that of devices which were made here. */
static const char drm_dev_ctx_magic;

/*
 * The first words of the allocation of any struct drm_device can be read, for
 * it is at least as large as a struct drm_device.
 */
static struct drm_dev_ctx *to_drm_dev_ctx(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = drm->managed.final_kfree;

	if (likely(ctx && ctx->magic == &drm_dev_ctx_magic && ctx->drm == drm))
		return ctx;

	drm_safe_broken(drm, "own devices",
			"the device was not allocated with drm_dev_ctx; see DRM_DEV_CTX()");
	return NULL;
}

static size_t drm_dev_ctx_size(void)
{
	return ALIGN(sizeof(struct drm_dev_ctx), SMP_CACHE_BYTES);
}

static void drm_dev_ctx_lock(struct drm_dev_ctx *ctx)
{
	mutex_lock(&ctx->lock);
	WRITE_ONCE(ctx->busy, current);
}

static void drm_dev_ctx_unlock(struct drm_dev_ctx *ctx)
{
	WRITE_ONCE(ctx->busy, NULL);
	mutex_unlock(&ctx->lock);
}

static void drm_dev_ctx_revoke_all(struct drm_dev_ctx *ctx)
{
	struct drm_dev_revocable *rev;

	down_write(&ctx->revoke_sem);
	for (;;) {
		scoped_guard(spinlock, &ctx->revocables_lock) {
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

static void drm_dev_ctx_call(struct drm_dev_ctx *ctx, enum drm_dev_reg_step step)
{
	if (ctx->ops)
		ctx->call(ctx->ops, step, ctx->drm, &ctx->unreg.bound, ctx->data);
}

static void drm_dev_ctx_release_data(struct drm_dev_ctx *ctx)
{
	drm_dev_ctx_call(ctx, DRM_DEV_REG_RELEASE);
	ctx->ops = NULL;
	ctx->data = NULL;
}

/* Returns whether there was a registration to end. */
static bool drm_dev_ctx_end(struct drm_dev_ctx *ctx)
{
	bool registered;

	drm_dev_ctx_lock(ctx);
	registered = ctx->state == DRM_DEV_CTX_REGISTERED;
	if (registered) {
		ctx->state = DRM_DEV_CTX_GONE;
		drm_dev_unplug(ctx->drm);
		drm_dev_ctx_call(ctx, DRM_DEV_REG_KMS_SHUTDOWN);
		drm_dev_ctx_call(ctx, DRM_DEV_REG_QUIESCE);
		drm_dev_ctx_release_data(ctx);
	}
	drm_dev_ctx_unlock(ctx);

	return registered;
}

/* The younger devres action: the parent is being unbound. */
static void drm_dev_ctx_unplug(void *res)
{
	drm_dev_ctx_end(res);
}

/**
 * __drm_dev_ctx_alloc() - allocate a device in its unregistered context
 * @parent: the device that is being bound
 * @driver: the DRM driver
 * @size: size in bytes of the driver's struct
 * @offset: offset in bytes of the &struct drm_device in it
 *
 * Drivers call the function that DRM_DEV_CTX() declares. The memory stays until
 * the parent is unbound, or its probe function fails, and longer if someone
 * holds a reference.
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

	if (size_add(offset, sizeof(struct drm_device)) > size ||
	    size > SIZE_MAX - drm_dev_ctx_size())
		return ERR_PTR(-EINVAL);

	offset += drm_dev_ctx_size();
	ctx = __drm_dev_alloc(parent, driver, drm_dev_ctx_size() + size, offset);
	if (IS_ERR(ctx))
		return ERR_CAST(ctx);

	ctx->magic = &drm_dev_ctx_magic;
	ctx->drm = (void *)ctx + offset;
	ctx->unreg.bound.__drm = ctx->drm;
	mutex_init(&ctx->lock);
	init_rwsem(&ctx->revoke_sem);
	spin_lock_init(&ctx->revocables_lock);
	INIT_LIST_HEAD(&ctx->revocables);

	ret = devm_add_action_or_reset(parent, drm_dev_ctx_unbind, ctx);
	if (ret)
		return ERR_PTR(ret);

	return &ctx->unreg;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_alloc);

/* Uses up a token; @state is what becomes of the device. */
static int drm_dev_ctx_use_up(struct drm_dev_ctx *ctx, enum drm_dev_ctx_state state)
{
	lockdep_assert_held(&ctx->lock);

	if (ctx->state != DRM_DEV_CTX_UNREGISTERED) {
		drm_safe_broken(ctx->drm, "a token is used once",
				"this device was registered or dropped before");
		return -EINVAL;
	}
	ctx->state = state;
	return 0;
}

/**
 * __drm_dev_unreg_drop() - give up a device that was not registered
 * @unreg: the token
 *
 * Drivers call the function that DRM_DEV_CTX() declares, or leave the scope of
 * a token that is __free().
 *
 * Context: May sleep.
 */
void __drm_dev_unreg_drop(struct drm_dev_unreg *unreg)
{
	struct drm_dev_ctx *ctx = container_of(unreg, struct drm_dev_ctx, unreg);

	drm_dev_ctx_lock(ctx);
	drm_dev_ctx_use_up(ctx, DRM_DEV_CTX_DROPPED);
	drm_dev_ctx_unlock(ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_unreg_drop);

static int drm_dev_ctx_go_live(struct drm_dev_ctx *ctx, struct device *parent)
{
	int ret;

	if (parent != ctx->drm->dev)
		return -EINVAL;

	/* Before the device goes live, for then nothing may fail any more. */
	ret = devm_add_action(parent, drm_dev_ctx_unplug, ctx);
	if (ret)
		return ret;

	/*
	 * Publishes @ops and @data before drm_dev_register() sets @registered;
	 * pairs with the acquire in __drm_dev_section_enter(). Who comes by a
	 * minor does not look at @registered, and needs no barrier: minors are
	 * published and looked up under a lock.
	 */
	smp_wmb();
	ret = drm_dev_register(ctx->drm, 0);
	if (ret)
		devm_remove_action(parent, drm_dev_ctx_unplug, ctx);

	return ret;
}

/**
 * __drm_dev_ctx_register() - register a device
 * @parent: the device that is being bound
 * @unreg: the token, consumed
 * @call: calls the callbacks in @ops
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
			   drm_dev_reg_call_t *call, const void *ops, void *data)
{
	struct drm_dev_ctx *ctx;
	int ret;

	if (IS_ERR_OR_NULL(unreg)) {
		drm_safe_broken(NULL, "a token is used once",
				"registration without a device: the token was used up, or is an error");
		if (ops)
			call(ops, DRM_DEV_REG_RELEASE, NULL, NULL, data);
		return -EINVAL;
	}
	ctx = container_of(unreg, struct drm_dev_ctx, unreg);

	drm_dev_ctx_lock(ctx);
	ret = drm_dev_ctx_use_up(ctx, DRM_DEV_CTX_REGISTERED);
	if (ret) {
		drm_dev_ctx_unlock(ctx);
		if (ops)
			call(ops, DRM_DEV_REG_RELEASE, NULL, NULL, data);
		return ret;
	}

	ctx->call = call;
	ctx->ops = ops;
	ctx->data = data;
	ret = drm_dev_ctx_go_live(ctx, parent);
	if (ret) {
		/* drm_dev_register() waited for whoever got in meanwhile. */
		ctx->state = DRM_DEV_CTX_GONE;
		drm_dev_ctx_release_data(ctx);
	}
	drm_dev_ctx_unlock(ctx);

	return ret;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_register);

/**
 * __drm_dev_ctx_unregister() - end a registration
 * @drm: the device
 *
 * See drm_dev_ctx_unregister(), which drivers call.
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code.
 */
int __drm_dev_ctx_unregister(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	if (!ctx)
		return -EINVAL;

	/* Only this task could have put itself there. */
	if (READ_ONCE(ctx->busy) == current) {
		drm_safe_broken(drm, "unregister from outside",
				"called from a callback of the registration, which has to end first");
		return -EDEADLK;
	}

	return drm_dev_ctx_end(ctx) ? 0 : -ENODEV;
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_unregister);

/**
 * __drm_dev_reg_data() - the registration data
 * @reg: proof that there is some
 *
 * Return: what was given to drm_dev_ctx_register(), for the scope of @reg.
 */
void *__drm_dev_reg_data(const struct drm_dev_reg *reg)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(reg->bound.__drm);

	return ctx ? ctx->data : NULL;
}
EXPORT_SYMBOL_GPL(__drm_dev_reg_data);

/* Kept out of the callers' way: the device is not registered, or unplugged. */
void __cold __drm_dev_refused(struct drm_device *drm)
{
}
EXPORT_SYMBOL_GPL(__drm_dev_refused);

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
	guard(spinlock)(&ctx->revocables_lock);
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

	guard(spinlock)(&ctx->revocables_lock);
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
