/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions of the device contexts for the other parts of the library and their tests. Drivers do
 * not include this.
 */
#ifndef _DRM_DEV_CTX_INTERNAL_H
#define _DRM_DEV_CTX_INTERNAL_H

#include "drm_dev_ctx.h"

struct notifier_block;

int __drm_dev_ctx_report_sleepers(struct drm_dev_ctx *ctx, const struct task_struct *except);
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

int __drm_dev_ctx_check_outside(struct drm_device *drm, const char *what) __must_check;
struct drm_dev_ctx *__drm_dev_ctx_registered(const struct drm_device *drm) __must_check;
struct module *drm_dev_ctx_owner(const struct drm_device *drm);
int __drm_dev_ctx_settle_dma_dev(struct drm_dev_ctx *ctx) __must_check;
bool __drm_dev_ctx_refuses_dma_dev(struct drm_dev_ctx *ctx, const struct device *dma_dev)
	__must_check;
void __drm_dev_ctx_record_dma(struct drm_dev_ctx *ctx);
bool drm_dev_ctx_dma_is_limited(struct device *dev);
unsigned int __drm_dev_ctx_dma_max_segment(struct device *dev);

/*
 * Returns the DMA device that tables and coherent memory are mapped for. Only for a device that
 * has, had, or is about to get such a mapping, unless the caller checks for NULL.
 */
static inline struct device *__drm_dev_ctx_dma_dev(const struct drm_dev_ctx *ctx)
{
	return READ_ONCE(ctx->__dma_dev);
}

#ifdef CONFIG_DRM_SAFE_DEBUG
void drm_dev_ctx_handle_add(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
void drm_dev_ctx_handle_del(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
#else
static inline void drm_dev_ctx_handle_add(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
static inline void drm_dev_ctx_handle_del(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
#endif

#if IS_ENABLED(CONFIG_KUNIT)
/* The names of the rules that a test broke on purpose */
const char *drm_safe_noted_broken(unsigned int back);
void drm_safe_forget_broken(void);

extern unsigned int drm_dev_ctx_section_limit_ms;
extern unsigned int drm_dev_ctx_shutdown_limit_ms;
#ifndef drm_device_ctx
int drm_dev_ctx_insert(struct drm_dev_ctx *ctx);
#endif
struct device_link *drm_dev_ctx_add_link(struct device *dev, struct device *supplier);
int drm_dev_ctx_watch_bus(const struct bus_type *bus, struct notifier_block *nb);
size_t drm_dev_ctx_dma_max_mapping(struct device *dev);
#endif

/* What ends with the binding */
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

/* What ends with the registration */
int drm_dev_ctx_async_add(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_async *async,
			  const struct drm_dev_ctx_async_ops *ops, enum drm_dev_ctx_turn turn);
bool drm_dev_ctx_async_take(struct drm_dev_ctx_async *async);

#endif /* _DRM_DEV_CTX_INTERNAL_H */
