// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Keeps the parent and the DMA device of a DRM device bound until nothing is mapped for them.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/device/faux.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_core.h"

/*
 * struct drm_dev_ctx_hold - a consumer of a supplier that stays bound longer than the bound device
 *
 * A device link makes the driver core unbind the bound device, @dev, before @supplier. But if the
 * probe function of @dev fails, really_probe() calls device_links_no_driver() before
 * devres_release_all(). The former drops the link, or makes a link of any other kind one that
 * device_links_busy() does not wait for: a link keeps its supplier bound only while its consumer
 * is being probed or is bound, and a stateless link never does. The supplier could be unbound
 * while devres still has to unmap what is mapped for it.
 *
 * So another consumer of @supplier, @faux, is bound until everything is unmapped. If @supplier is
 * unbound before, the driver core calls the remove function of @faux, which waits for that.
 *
 * Invariants:
 *
 * - The link from @dev to @supplier is older than the link from @faux, so the driver core unbinds
 *   @dev before @faux. The remove function of @faux then has something to wait for only if
 *   another task is unmapping: devres after a failed probe, drm_dev_ctx_remove(), or another
 *   task that unbinds @supplier, too.
 */
struct drm_dev_ctx_hold {
	struct device *dev;
	struct device *supplier;
	struct faux_device *faux;
	struct completion unmapped;
};

/* The hold that a task is making. The lock keeps it there until @faux has been probed. */
static DEFINE_MUTEX(drm_dev_ctx_hold_lock);
static struct task_struct *drm_dev_ctx_holder;
static struct drm_dev_ctx_hold *drm_dev_ctx_new_hold;
static u64 drm_dev_ctx_holds;

/*
 * While @faux is being probed, the link is valid also for a supplier that is being probed. A probe
 * function that another task calls was deferred, and comes too late.
 */
static int drm_dev_ctx_hold_probe(struct faux_device *faux)
{
	struct drm_dev_ctx_hold *hold;

	if (READ_ONCE(drm_dev_ctx_holder) != current)
		return -ENODEV;
	hold = drm_dev_ctx_new_hold;
	faux_device_set_drvdata(faux, hold);
	if (!device_link_add(&faux->dev, hold->supplier, DL_FLAG_AUTOREMOVE_CONSUMER))
		return -ENOMEM;
	return 0;
}

static void drm_dev_ctx_hold_remove(struct faux_device *faux)
{
	struct drm_dev_ctx_hold *hold = faux_device_get_drvdata(faux);

	/* This task is the one that unmaps, from a devres action of @dev. */
	if (drm_lock_is_held(&hold->dev->mutex) && !completion_done(&hold->unmapped)) {
		drm_safe_broken(NULL, "suppliers outlive what is mapped",
				"%s unbinds %s, for which its DRM device has mapped something",
				dev_name(hold->dev), dev_name(hold->supplier));
		return;
	}
	wait_for_completion(&hold->unmapped);
}

static const struct faux_device_ops drm_dev_ctx_hold_ops = {
	.probe = drm_dev_ctx_hold_probe,
	.remove = drm_dev_ctx_hold_remove,
};

static struct faux_device *drm_dev_ctx_hold_create(struct drm_dev_ctx_hold *hold)
{
	struct faux_device *faux;
	char name[32];

	guard(mutex)(&drm_dev_ctx_hold_lock);
	snprintf(name, sizeof(name), "drm_dev_ctx.%llu", drm_dev_ctx_holds++);
	drm_dev_ctx_new_hold = hold;
	WRITE_ONCE(drm_dev_ctx_holder, current);
	faux = faux_device_create(name, NULL, &drm_dev_ctx_hold_ops);
	WRITE_ONCE(drm_dev_ctx_holder, NULL);
	return faux;
}

/**
 * __drm_dev_ctx_hold() - keep a supplier bound until __drm_dev_ctx_unhold()
 * @dev: the bound device, which has a device link to @supplier
 * @supplier: the parent or the DMA device
 *
 * Context: May sleep. @dev is bound or being probed.
 *
 * Return: the hold, or an ERR_PTR(): -ENOMEM; or -EPROBE_DEFER if there is no memory, or if the
 * system is going to sleep and nothing is probed until it wakes up.
 */
struct drm_dev_ctx_hold *__drm_dev_ctx_hold(struct device *dev, struct device *supplier)
{
	struct drm_dev_ctx_hold *hold;

	KUNIT_STATIC_STUB_REDIRECT(__drm_dev_ctx_hold, dev, supplier);
	hold = kzalloc_obj(*hold);
	if (!hold)
		return ERR_PTR(-ENOMEM);
	hold->dev = dev;
	hold->supplier = supplier;
	init_completion(&hold->unmapped);
	hold->faux = drm_dev_ctx_hold_create(hold);
	if (!hold->faux) {
		kfree(hold);
		return ERR_PTR(-EPROBE_DEFER);
	}
	return hold;
}
EXPORT_SYMBOL_IF_KUNIT(__drm_dev_ctx_hold);

/**
 * __drm_dev_ctx_unhold() - let a supplier be unbound: nothing is mapped for it any more
 * @hold: the hold, or NULL
 *
 * Context: May sleep.
 */
void __drm_dev_ctx_unhold(struct drm_dev_ctx_hold *hold)
{
	if (!hold)
		return;
	complete_all(&hold->unmapped);
	/* Waits for the remove function, which another task may have called. */
	faux_device_destroy(hold->faux);
	kfree(hold);
}
EXPORT_SYMBOL_IF_KUNIT(__drm_dev_ctx_unhold);
