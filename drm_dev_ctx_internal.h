/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions of the device contexts for the other parts of the library and their tests. Drivers do
 * not include this.
 */
#ifndef _DRM_DEV_CTX_INTERNAL_H
#define _DRM_DEV_CTX_INTERNAL_H

#include <linux/spinlock.h>

#include "drm_dev_ctx.h"

#ifndef drm_device_ctx
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/xarray.h>
#endif

struct notifier_block;
struct seq_file;
struct work_struct;

#ifndef drm_device_ctx
extern struct xarray drm_dev_ctx_devices;

int drm_dev_ctx_insert(struct drm_dev_ctx *ctx);

/* Granularity of the index below, in bytes: at most the size of a struct drm_device */
#define DRM_DEV_CTX_SLOT	SZ_512

/*
 * A small index keeps the xarray flat: the full address of a device would take eleven nodes. No
 * two devices of the library share an index, because each is larger than a slot. A foreign
 * device may have the same index as a device of the library.
 */
static inline unsigned long drm_dev_ctx_index(const struct drm_device *drm)
{
	BUILD_BUG_ON(sizeof(*drm) < DRM_DEV_CTX_SLOT);
	return ((unsigned long)drm - PAGE_OFFSET) / DRM_DEV_CTX_SLOT;
}
#endif

/*
 * Returns NULL for a foreign device, which is not part of a struct drm_dev_ctx. A foreign
 * struct drm_device may be the last thing in its allocation, so this must not read the members
 * of struct drm_dev_ctx.
 */
static inline struct drm_dev_ctx *drm_dev_ctx_find(const struct drm_device *drm)
{
#ifdef drm_device_ctx
	return drm->ctx;
#else
	struct drm_dev_ctx *ctx = xa_load(&drm_dev_ctx_devices, drm_dev_ctx_index(drm));

	return ctx && &ctx->drm == drm ? ctx : NULL;
#endif
}

static inline bool drm_dev_ctx_is_known(const struct drm_dev_ctx *ctx) __drm_nonallocating
{
	struct drm_dev_ctx *known;

	drm_safe_trusted(known = drm_dev_ctx_find(&ctx->drm));
	return known;
}

/* drm_dev_ctx_known.c */
void __cold drm_dev_ctx_report_foreign(void) __drm_nonallocating;

/* Returns whether @ctx is foreign, that is, not made by drm_dev_ctx_alloc(), and reports it. */
static inline bool drm_dev_ctx_misses(const struct drm_dev_ctx *ctx) __drm_nonallocating
{
	if (likely(drm_dev_ctx_is_known(ctx)))
		return false;

	drm_dev_ctx_report_foreign();
	return true;
}

void drm_dev_ctx_make_known(struct drm_dev_ctx *ctx);
void drm_dev_ctx_forget(struct drm_dev_ctx *ctx);
bool drm_dev_ctx_differs(const struct drm_driver *driver, u32 type_hash);
bool drm_dev_ctx_claim(struct drm_dev_ctx *ctx, struct drm_dev_ctx_data *data) __must_check;
struct drm_dev_ctx_data *drm_dev_ctx_disclaim(struct drm_dev_ctx *ctx);
bool drm_dev_ctx_is_owned(const struct drm_dev_ctx *ctx, const struct drm_dev_ctx_data *data);
void drm_dev_ctx_visit(struct device *dev, void (*fn)(struct drm_dev_ctx *ctx));
struct drm_dev_ctx *__drm_dev_ctx_registered(const struct drm_device *drm) __must_check;
struct module *drm_dev_ctx_owner(const struct drm_device *drm);

/* drm_dev_ctx_watch.c */
int __drm_dev_ctx_check_outside(struct drm_device *drm, const char *what) __must_check;
void drm_dev_ctx_watch(struct drm_dev_ctx *ctx, enum drm_dev_ctx_step step);
void drm_dev_ctx_unwatch(struct drm_dev_ctx *ctx);
void drm_dev_ctx_unwatch_probe(struct drm_dev_ctx *ctx);
void drm_dev_ctx_note_refused(struct drm_dev_ctx *ctx, unsigned long where) __drm_nonallocating;
void drm_dev_ctx_stuck(struct work_struct *work);
int drm_dev_ctx_show(struct seq_file *m, void *unused);
#ifdef CONFIG_DRM_SAFE_DEBUG
bool drm_dev_ctx_section_held(bool open);
void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx);
void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx);
void drm_dev_ctx_handle_add(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
void drm_dev_ctx_handle_del(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
#else
static inline bool drm_dev_ctx_section_held(bool open) { return false; }
static inline void drm_dev_ctx_debug_init(struct drm_dev_ctx *ctx) {}
static inline void drm_dev_ctx_debug_exit(struct drm_dev_ctx *ctx) {}
static inline void drm_dev_ctx_handle_add(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
static inline void drm_dev_ctx_handle_del(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
#endif

/* drm_dev_ctx_sleepers.c */
int __drm_dev_ctx_report_sleepers(struct drm_dev_ctx *ctx, const struct task_struct *except);

#if IS_ENABLED(CONFIG_KUNIT)
extern unsigned int drm_dev_ctx_section_limit_ms;

/* The names of the rules that a test broke on purpose */
const char *drm_safe_noted_broken(unsigned int back);
void drm_safe_forget_broken(void);
#endif

/* Entries that end with the binding: drm_dev_ctx_bindings.c */
static inline bool drm_dev_ctx_is_unbound(struct drm_dev_ctx *ctx)
{
	guard(spinlock)(&ctx->__revocables_lock);
	return ctx->__unbound;
}

void drm_dev_ctx_revoke_watched(struct drm_dev_ctx *ctx);
int drm_dev_ctx_revocable_add(const struct drm_dev_ctx_bound *bound,
			      struct drm_dev_ctx_revocable *rev,
			      const struct drm_dev_ctx_revocable_ops *ops) __must_check;
int drm_dev_ctx_revocable_add_held(struct drm_dev_ctx *ctx, struct drm_dev_ctx_revocable *rev,
				   const struct drm_dev_ctx_revocable_ops *ops)
	__must_check __must_hold_shared(drm_dev_revocation);
bool drm_dev_ctx_revocable_take(struct drm_dev_ctx *ctx,
				struct drm_dev_ctx_revocable *rev)
	__must_check __cond_acquires_shared(true, drm_dev_revocation);
bool drm_dev_ctx_revocable_hold(struct drm_dev_ctx *ctx)
	__must_check __cond_acquires_shared(true, drm_dev_revocation);
void drm_dev_ctx_revocable_done(struct drm_dev_ctx *ctx)
	__releases_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_defer(struct drm_dev_ctx *ctx)
	__releases_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_resume(struct drm_dev_ctx *ctx)
	__acquires_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_retry(struct drm_dev_ctx *ctx);
void drm_dev_ctx_revoke_first(const struct drm_dev_ctx_bound *bound, const char *what);

int drm_dev_ctx_follow(struct device *dev, struct device *supplier, const char *what)
	__must_check;
int __drm_dev_ctx_settle_dma_dev(struct drm_dev_ctx *ctx) __must_check;
bool __drm_dev_ctx_refuses_dma_dev(struct drm_dev_ctx *ctx, const struct device *dma_dev)
	__must_check;
bool drm_dev_ctx_dma_dev_is_lost(struct drm_dev_ctx *ctx);

/*
 * Returns the DMA device that tables and coherent memory are mapped for. Only for a device that
 * has, had, or is about to get such a mapping, unless the caller checks for NULL.
 */
static inline struct device *__drm_dev_ctx_dma_dev(const struct drm_dev_ctx *ctx)
{
	return READ_ONCE(ctx->__dma_dev);
}

#if IS_ENABLED(CONFIG_KUNIT)
extern unsigned int drm_dev_ctx_shutdown_limit_ms;
struct device_link *drm_dev_ctx_add_link(struct device *dev, struct device *supplier);
int drm_dev_ctx_watch_bus(const struct bus_type *bus, struct notifier_block *nb);
#endif

/* The registration: drm_dev_ctx.c */
void __cold __drm_dev_ctx_refused_at(struct drm_dev_ctx *ctx, unsigned long where);

/* Returns whether code of this turn needs a registration. */
static inline bool __drm_dev_ctx_needs_reg(enum drm_dev_ctx_turn turn)
{
	return turn < DRM_DEV_CTX_LIVE_WORK;
}

static inline enum drm_dev_ctx_phase
__drm_dev_ctx_async_phase(const struct drm_dev_ctx_async *async)
{
	/*
	 * Pairs with the release in drm_dev_ctx_open_async(). This needs no acquire,
	 * because the call that starts the code afterwards orders this load, see
	 * async-open.litmus.
	 */
	return READ_ONCE(async->__ctx->__phase[async->__turn]);
}

/* drm_dev_ctx_dma.c */
void __drm_dev_ctx_record_dma(struct drm_dev_ctx *ctx);
bool drm_dev_ctx_dma_is_limited(struct device *dev);
unsigned int __drm_dev_ctx_dma_max_segment(struct device *dev);
#if IS_ENABLED(CONFIG_KUNIT)
size_t drm_dev_ctx_dma_max_mapping(struct device *dev);
#endif

/* Code that ends with the registration */
int drm_dev_ctx_async_add(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_async *async,
			  const struct drm_dev_ctx_async_ops *ops, enum drm_dev_ctx_turn turn);
bool drm_dev_ctx_async_take(struct drm_dev_ctx_async *async);

#endif /* _DRM_DEV_CTX_INTERNAL_H */
