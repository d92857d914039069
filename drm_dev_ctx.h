/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_DEV_CTX_H
#define _DRM_DEV_CTX_H

#include <linux/list.h>
#include <linux/rwsem.h>

#include <drm/drm_drv.h>

#include "drm_safe.h"

/**
 * struct drm_dev_bound - proof that the parent of a DRM device is bound
 *
 * What needs the &struct device below a DRM device to be bound to its driver,
 * and nothing more, takes a pointer to this. It is part of every stronger
 * proof: &struct drm_dev_unreg and &struct drm_dev_reg.
 *
 * Invariants:
 *
 * - Exists only while the parent of the device is bound.
 * - Belongs to a device that drm_dev_ctx_alloc() made.
 */
struct drm_dev_bound {
	/* private: */
	struct drm_device *__drm;
	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_dev_unreg - token of a device that was not registered yet
 * @bound: the weaker proof
 *
 * Invariants:
 *
 * - There is at most one for a device.
 * - It ends when the device is registered, or with the token's scope.
 */
struct drm_dev_unreg {
	struct drm_dev_bound bound;
};

/**
 * struct drm_dev_reg - proof that a device is registered and not unplugged
 * @bound: the weaker proof
 *
 * Lives on the stack, in the scope that drm_dev_if_registered() opens.
 *
 * Invariants:
 *
 * - If @bound holds a device, then this task is in that device's unplug
 *   section, and the device has been registered.
 */
struct drm_dev_reg {
	struct drm_dev_bound bound;
	/* private: */
	int __idx;
};

/**
 * struct drm_dev_reg_ops - what a driver adds to the registration of a device
 */
struct drm_dev_reg_ops {
	/**
	 * @quiesce:
	 *
	 * Stop the hardware. Called once the device is unplugged and no
	 * section that needs the registration runs any more, while the parent
	 * is still bound, and before any scatter-gather table is revoked. May
	 * sleep. Optional.
	 */
	void (*quiesce)(const struct drm_dev_bound *bound, void *data);

	/**
	 * @release:
	 *
	 * Free the registration data. Called after @quiesce, or when the
	 * registration failed. May sleep. Optional.
	 */
	void (*release)(void *data);
};

/**
 * struct drm_dev_revocable - something that must not outlive the binding
 *
 * Embedded in what another part of the library maps for the parent of a
 * device. All of a device's are revoked when the parent is unbound, by one
 * devres action that is older than the registration.
 *
 * Invariants:
 *
 * - On the device's list from drm_dev_revocable_add() until either
 *   drm_dev_revocable_del() or the call of the revoke function.
 */
struct drm_dev_revocable {
	/* private: */
	struct list_head __node;
	void (*__revoke)(struct drm_dev_revocable *rev);
};

struct drm_dev_unreg *
__drm_dev_ctx_alloc(struct device *parent, const struct drm_driver *driver,
		    size_t size, size_t offset) __must_check;
void __drm_dev_unreg_drop(struct drm_dev_unreg *unreg);
int __drm_dev_ctx_register(struct device *parent, struct drm_dev_unreg *unreg,
			   const struct drm_dev_reg_ops *ops,
			   void *data) __must_check;
void drm_dev_ctx_unregister(struct drm_device *drm);
void *__drm_dev_reg_data(const struct drm_dev_reg *reg);

void drm_dev_revocable_add(const struct drm_dev_bound *bound,
			   struct drm_dev_revocable *rev,
			   void (*revoke)(struct drm_dev_revocable *rev));
void drm_dev_revocable_del(struct drm_device *drm,
			   struct drm_dev_revocable *rev);
void drm_dev_revoke_block(struct drm_device *drm);
bool drm_dev_revoke_tryblock(struct drm_device *drm);
void drm_dev_revoke_unblock(struct drm_device *drm);

DEFINE_FREE(drm_dev_unreg, struct drm_dev_unreg *,
	    if (!IS_ERR_OR_NULL(_T)) __drm_dev_unreg_drop(_T))

/**
 * drm_dev_ctx_register() - register a device
 * @parent: the device that is being bound; -EINVAL unless it is the parent
 * @unreg: variable that holds the token; NULL afterwards, whatever is returned
 * @ops: the driver's part of the registration, or NULL
 * @data: registration data, owned by the registration from here on
 *
 * Context: May sleep.
 *
 * Return: 0 or a negative error code; the device is dropped on error.
 */
#define drm_dev_ctx_register(parent, unreg, ops, data)				\
	__drm_dev_ctx_register(parent, drm_safe_take(unreg), ops, data)

/**
 * drm_dev_bound_drm() - the DRM device that a proof is about
 * @bound: the proof
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct drm_device *
drm_dev_bound_drm(const struct drm_dev_bound *bound)
{
	return bound->__drm;
}

/**
 * drm_dev_bound_parent() - the bound device below a DRM device
 * @bound: the proof that it is bound
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_bound_parent(const struct drm_dev_bound *bound)
{
	return bound->__drm->dev;
}

static __always_inline bool
__drm_dev_reg_enter(struct drm_dev_reg *reg, struct drm_device *drm)
{
	if (!drm_dev_enter(drm, &reg->__idx))
		return false;
	/*
	 * Pairs with the write barrier in __drm_dev_ctx_register(): who sees
	 * the device registered also sees its registration data.
	 */
	if (!smp_load_acquire(&drm->registered)) {
		drm_dev_exit(reg->__idx);
		return false;
	}
	reg->bound.__drm = drm;
	return true;
}

static __always_inline void __drm_dev_reg_exit(struct drm_dev_reg (*reg)[1])
{
	if ((*reg)->bound.__drm)
		drm_dev_exit((*reg)->__idx);
}

/**
 * drm_dev_if_registered() - run a block if a device is registered
 * @_reg: name of the proof, a &struct drm_dev_reg that the block can use
 * @_drm: the &struct drm_device
 *
 * The block is skipped unless the device is registered and not unplugged, and
 * the device stays so until the block is left, on whatever path.
 *
 * Context: As drm_dev_enter().
 */
#define drm_dev_if_registered(_reg, _drm)					\
	for (bool __once = true; __once; __once = false)			\
		for (struct drm_dev_reg _reg[1] __cleanup(__drm_dev_reg_exit) = {}; \
		     __once && __drm_dev_reg_enter(_reg, _drm); __once = false)

#endif /* _DRM_DEV_CTX_H */
