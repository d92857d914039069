// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The list of devices with contexts, and the registration data of each device.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <drm/drm_drv.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_core.h"

/*
 * The devices that drm_dev_ctx_alloc() and drm_dev_ctx_alloc_parent() made. The lock also protects
 * @__data of each device.
 */
static LIST_HEAD(drm_dev_ctx_known);
static DEFINE_SPINLOCK(drm_dev_ctx_known_lock);

#ifndef drm_device_ctx
/* The same devices, for drm_dev_ctx_find(). Goes with drm_dev_set_ctx() of drm_safe_core.h. */
DEFINE_XARRAY(drm_dev_ctx_devices);

int drm_dev_ctx_insert(struct drm_dev_ctx *ctx)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_insert, ctx);

	return xa_insert(&drm_dev_ctx_devices, drm_dev_ctx_index(&ctx->drm), ctx, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_insert);
#endif

/* Makes the library accept the device in all calls. */
void drm_dev_ctx_make_known(struct drm_dev_ctx *ctx)
{
	drm_dev_set_ctx(&ctx->drm, ctx);
	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_add(&ctx->__known, &drm_dev_ctx_known);
}

/* Undoes drm_dev_ctx_make_known(), if the allocation came that far. */
void drm_dev_ctx_forget(struct drm_dev_ctx *ctx)
{
	drm_dev_set_ctx(&ctx->drm, NULL);
#ifndef drm_device_ctx
	xa_erase(&drm_dev_ctx_devices, drm_dev_ctx_index(&ctx->drm));
#endif
	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_del_init(&ctx->__known);
}

/*
 * Returns whether @driver has a device of another type. Must not access memory of a driver, because
 * a driver may have been unloaded and have left a device behind.
 */
bool drm_dev_ctx_differs(const struct drm_driver *driver, u32 type_hash)
{
	struct drm_dev_ctx *ctx;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	list_for_each_entry(ctx, &drm_dev_ctx_known, __known)
		if (ctx->__driver == driver && ctx->__type_hash != type_hash)
			return true;
	return false;
}

/* Returns whether a device other than @ctx has the registration data @data. */
static bool drm_dev_ctx_others_have(const struct drm_dev_ctx *ctx,
				    const struct drm_dev_ctx_data *data)
	__must_hold(&drm_dev_ctx_known_lock)
{
	struct drm_dev_ctx *other;

	if (!data)
		return false;
	list_for_each_entry(other, &drm_dev_ctx_known, __known)
		if (other != ctx && other->__data == data)
			return true;
	return false;
}

/*
 * Makes a device the owner of registration data, which may be NULL. Returns false if another device
 * has the data. The member @__ctx of the data does not show the owner: the driver need not zero it,
 * and it keeps its value when a driver reuses the data after a registration has ended.
 */
bool drm_dev_ctx_claim(struct drm_dev_ctx *ctx, struct drm_dev_ctx_data *data)
{
	guard(spinlock)(&drm_dev_ctx_known_lock);
	if (drm_dev_ctx_others_have(ctx, data))
		return false;
	WRITE_ONCE(ctx->__data, data);
	return true;
}

/*
 * Undoes drm_dev_ctx_claim(), before the release step: the driver can free the data in that step,
 * or give it to another device. Returns the data.
 */
struct drm_dev_ctx_data *drm_dev_ctx_disclaim(struct drm_dev_ctx *ctx)
{
	struct drm_dev_ctx_data *data = ctx->__data;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	WRITE_ONCE(ctx->__data, NULL);
	return data;
}

/* Returns whether a device other than @ctx, which may be NULL, has the data and will end it. */
bool drm_dev_ctx_is_owned(const struct drm_dev_ctx *ctx,
			  const struct drm_dev_ctx_data *data)
{
	guard(spinlock)(&drm_dev_ctx_known_lock);
	return drm_dev_ctx_others_have(ctx, data);
}

/**
 * __drm_dev_ctx_registered() - get the contexts of a device that is or was registered
 * @drm: any device
 *
 * Context: Any.
 *
 * Return: the contexts; or NULL if the device was not registered yet, or if drm_dev_ctx_alloc() did
 * not make it.
 */
struct drm_dev_ctx *__drm_dev_ctx_registered(const struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_find(drm);

	/* Acquire: pairs with the release in drm_dev_ctx_go_live(), see ctx-registered.litmus. */
	return ctx && smp_load_acquire(&ctx->__registered) ? ctx : NULL;
}

/**
 * drm_dev_ctx_owner() - get the module of a device's driver
 * @drm: any device
 *
 * Context: Any.
 *
 * Return: the driver's module; or NULL if it is built in, or has no file operations.
 */
struct module *drm_dev_ctx_owner(const struct drm_device *drm)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_dev_ctx_owner, drm);

	return drm->driver->fops ? drm->driver->fops->owner : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(drm_dev_ctx_owner);

/*
 * Returns the next DRM device of @dev after @last, with a reference. If @last is NULL, returns the
 * first one. The caller has a reference to @last, which keeps it on the list.
 */
static struct drm_dev_ctx *drm_dev_ctx_next_on(struct device *dev, struct drm_dev_ctx *last)
{
	struct drm_dev_ctx *ctx;

	guard(spinlock)(&drm_dev_ctx_known_lock);
	ctx = list_prepare_entry(last, &drm_dev_ctx_known, __known);
	list_for_each_entry_continue(ctx, &drm_dev_ctx_known, __known)
		if (ctx->__dev == dev && kref_get_unless_zero(&ctx->drm.ref))
			return ctx;
	return NULL;
}

/* Calls a function for each DRM device that belongs to @dev. */
void drm_dev_ctx_visit(struct device *dev, void (*fn)(struct drm_dev_ctx *ctx))
{
	struct drm_dev_ctx *ctx = drm_dev_ctx_next_on(dev, NULL), *next;

	for (; ctx; ctx = next) {
		fn(ctx);
		next = drm_dev_ctx_next_on(dev, ctx);
		drm_dev_put(&ctx->drm);
	}
}

#if defined(CONFIG_DRM_SAFE_DEBUG) && !defined(drm_device_ctx)
/* Like drm_dev_ctx_misses(), but without a report */
bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx)
{
	return !drm_dev_ctx_is_known(ctx);
}
EXPORT_SYMBOL_GPL(__drm_dev_ctx_is_foreign);
#endif

/* Reports a device that drm_dev_ctx_alloc() did not make. */
void __cold drm_dev_ctx_report_foreign(void) __drm_nonallocating
{
	drm_safe_broken(NULL, "own devices",
			"the device was not allocated with drm_dev_ctx_alloc()");
}
