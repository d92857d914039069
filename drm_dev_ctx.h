/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_DEV_CTX_H
#define _DRM_DEV_CTX_H

#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/lockdep_types.h>
#include <linux/mutex.h>
#include <linux/ref_tracker.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

#include "drm_safe.h"

struct drm_dev_ctx;

/**
 * struct drm_dev_ctx_bound - proof that the parent of a DRM device is bound
 *
 * A function that needs the &struct device below a DRM device to be bound to its
 * driver, and nothing more, takes a pointer to this. It is part of every stronger
 * proof: &struct drm_dev_ctx_unreg and &struct drm_dev_ctx_reg.
 *
 * Invariants:
 *
 * - Exists only while the parent of the device is bound.
 */
struct drm_dev_ctx_bound {
	/* private: */
	struct drm_dev_ctx *__ctx;

	__DRM_SAFE_NO_ASSIGN;
};

/**
 * struct drm_dev_ctx_live - proof that a device has its hardware and its registration data
 * @bound: the weaker proof
 *
 * A function that touches the hardware, and need not keep the device from being
 * unplugged, takes a pointer to this: the callbacks of a display, and what completes what
 * sections wait for. drm_dev_ctx_reg_live() gives it from a &struct drm_dev_ctx_reg.
 *
 * Invariants:
 *
 * - The registration data has been published, and is not released: since
 *   drm_dev_ctx_attach() or the beginning of drm_dev_ctx_register().
 */
struct drm_dev_ctx_live {
	struct drm_dev_ctx_bound bound;
};

__DRM_TOKEN(drm_dev_ctx_unreg);

/**
 * struct drm_dev_ctx_unreg - token of a device that was not registered yet
 * @bound: the weaker proof
 *
 * Invariants:
 *
 * - There is at most one for a device.
 * - It is used up by registration, or when it is dropped.
 */
struct drm_dev_ctx_unreg {
	struct drm_dev_ctx_bound bound;
};

/**
 * struct drm_dev_ctx_reg - proof that a device is registered and not unplugged
 * @bound: the weaker proof
 *
 * The base of a driver's own proof, which has it as its only member, named base. All
 * sections of a device have proofs of one type:
 *
 * .. code-block:: c
 *
 *	struct foo_reg {
 *		struct drm_dev_ctx_reg base;
 *	};
 *
 * A proof lives on the stack, in the scope that drm_dev_ctx_guard() or
 * drm_dev_ctx_or() opens.
 *
 * Invariants:
 *
 * - This task is in the device's unplug section, and the registration data has
 *   been published.
 */
struct drm_dev_ctx_reg {
	struct drm_dev_ctx_bound bound;
};

/*
 * A struct drm_dev_ctx whose device has been registered and may be unplugged by now.
 * Another name, so that the types differ; it is never defined.
 */
struct drm_dev_ctx_ioctl;

/**
 * struct drm_dev_ctx_data - base of the registration data
 *
 * Embedded in the struct that a driver gives to drm_dev_ctx_register() and that
 * lives as long as the registration.
 */
struct drm_dev_ctx_data {
	/* private: */
	struct drm_dev_ctx *__ctx;
};

/**
 * struct drm_dev_ctx_ops - how a registration ends
 *
 * The callbacks run in the order in which they stand here, each at most once. The thread
 * that ends the registration waits for each, so none of them may wait for that thread.
 */
struct drm_dev_ctx_ops {
	/**
	 * @stop:
	 *
	 * Optional. Ends the waits inside of sections that nothing else ends. The device is
	 * still registered. A section can be entered after this, too: it asks
	 * drm_dev_ctx_reg_ending() before it waits. Does not run if the device was never
	 * registered.
	 */
	void (*stop)(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data);

	/**
	 * @kms_shutdown:
	 *
	 * Optional. Turns the display off: drm_atomic_helper_shutdown(). The device
	 * is unplugged, but the hardware is still there: the callbacks of the display
	 * use drm_dev_ctx_guard_live(). Runs in a worker of the kernel, so that no
	 * signal to the task that unbinds the parent ends its waits. Does not run if the
	 * device was never registered.
	 */
	void (*kms_shutdown)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data);

	/**
	 * @quiesce:
	 *
	 * Optional. Stops the hardware, and ends what uses it or the registration data and
	 * does not belong to the library. No section is open any more. What others
	 * have to wait for is completed until this returns, and after it.
	 */
	void (*quiesce)(const struct drm_dev_ctx_bound *bound,
			struct drm_dev_ctx_data *data);

	/**
	 * @release:
	 *
	 * Optional. Frees the registration data, which has no user any more. If there
	 * is a quiesce, then it ran before.
	 */
	void (*release)(struct drm_dev_ctx_data *data);
};

struct drm_dev_ctx_revocable;

/**
 * struct drm_dev_ctx_revocable_ops - how to revoke something
 */
struct drm_dev_ctx_revocable_ops {
	/**
	 * @get:
	 *
	 * Take a reference, which @revoke puts. Returns false if the last
	 * reference is gone: its owner is about to call
	 * drm_dev_ctx_revocable_take(), or to give the reference back and call
	 * drm_dev_ctx_revocable_retry(), and unbinding waits for it to do so.
	 * Called under a spinlock, and in the condition of a wait: does not
	 * sleep.
	 */
	bool (*get)(struct drm_dev_ctx_revocable *rev);

	/**
	 * @revoke:
	 *
	 * The parent is being unbound. The entry is off the list, and cannot be
	 * added again. Called without any lock, and may sleep.
	 */
	void (*revoke)(struct drm_dev_ctx_revocable *rev);
};

/**
 * struct drm_dev_ctx_revocable - something that must not outlive the binding
 *
 * Embedded in what another part of the library maps for the parent of a
 * device. All entries of a device are revoked when the parent is unbound, by one
 * devres action, which runs after the one that ends the registration.
 *
 * Invariants:
 *
 * - It is on the device's list from drm_dev_ctx_revocable_add() until
 *   drm_dev_ctx_revocable_take() or &drm_dev_ctx_revocable_ops.get returns true.
 *   Exactly one of them does.
 */
struct drm_dev_ctx_revocable {
	/* private: */
	struct list_head __node;
	const struct drm_dev_ctx_revocable_ops *__ops;
};

struct drm_dev_ctx_async;

/**
 * struct drm_dev_ctx_async_ops - how asynchronous code starts and ends
 */
struct drm_dev_ctx_async_ops {
	/**
	 * @start:
	 *
	 * Starts what was started while it was held back. Called under a raw spinlock with
	 * interrupts off.
	 */
	void (*start)(struct drm_dev_ctx_async *async);

	/**
	 * @end:
	 *
	 * Waits until it does not run, and has it never run again. May sleep. May run
	 * in two tasks at a time.
	 */
	void (*end)(struct drm_dev_ctx_async *async);

	/**
	 * @handler:
	 *
	 * The driver's function, for reports.
	 */
	void *(*handler)(const struct drm_dev_ctx_async *async);

	/**
	 * @runs:
	 *
	 * Optional. Whether the driver's function runs now. Called as @start is.
	 */
	bool (*runs)(struct drm_dev_ctx_async *async);
};

/* The asynchronous code of a registration, in the order in which it is ended */
enum drm_dev_ctx_turn {
	/* What needs a registration ends after the unplug. */
	DRM_DEV_CTX_REG_WORK,
	DRM_DEV_CTX_REG_TIMER,
	/*
	 * What needs a live device ends after quiesce. What waits comes first, and what ends
	 * waits comes last.
	 */
	DRM_DEV_CTX_LIVE_WORK,
	DRM_DEV_CTX_LIVE_TIMER,
	DRM_DEV_CTX_LIVE_IRQ,
	DRM_DEV_CTX_TURNS,
};

/* Whether the code of a turn runs: it is held back, runs, has been ended */
enum drm_dev_ctx_phase {
	DRM_DEV_CTX_HELD,
	DRM_DEV_CTX_OPEN,
	DRM_DEV_CTX_OVER,
};

/**
 * struct drm_dev_ctx_async - asynchronous code that belongs to a registration
 *
 * Embedded in the work items, timers and interrupts of drm_dev_ctx_async.h.
 *
 * Invariants:
 *
 * - It is on a list of its device from drm_dev_ctx_async_add() until
 *   drm_dev_ctx_async_take(), or until the device ends it, which sets @__ending
 *   meanwhile; both under &drm_dev_ctx.__async_lock.
 * - @__ctx is set from drm_dev_ctx_async_add() until drm_dev_ctx_async_take(). The device
 *   outlives it.
 */
struct drm_dev_ctx_async {
	/* private: */
	struct list_head __node;
	struct drm_dev_ctx *__ctx;
	const struct drm_dev_ctx_async_ops *__ops;
	enum drm_dev_ctx_turn __turn;
	bool __ending;
};

/* How many places that were refused a section a report names */
#define __DRM_DEV_CTX_REFUSED_MAX	4

enum drm_dev_ctx_state {
	DRM_DEV_CTX_UNREGISTERED,
	DRM_DEV_CTX_DROPPED,
	DRM_DEV_CTX_REGISTERED,
	DRM_DEV_CTX_ENDED,
};

/* What the end of a registration waits for, in this order, and then the unbinding */
enum drm_dev_ctx_wait {
	DRM_DEV_CTX_WAITS_STOP,
	DRM_DEV_CTX_WAITS_SECTIONS,
	DRM_DEV_CTX_WAITS_KMS_SHUTDOWN,
	DRM_DEV_CTX_WAITS_QUIESCE,
	DRM_DEV_CTX_WAITS_BLOCKS,
	DRM_DEV_CTX_WAITS_ASYNC,
	DRM_DEV_CTX_WAITS_TABLES,
};

/**
 * struct drm_dev_ctx - a DRM device and its contexts
 * @drm: the DRM device
 *
 * The base of a driver's device, in place of a &struct drm_device:
 *
 * .. code-block:: c
 *
 *	struct foo_device {
 *		struct drm_dev_ctx ctx;
 *		...
 *	};
 *
 * Invariants:
 *
 * - The devres action of @__dev holds @drm while @__dev is bound, which is what a
 *   bound parent means. @__dev is the parent of @drm or, if the driver said so, a
 *   consumer of the parent by a device link, so that it is unbound first. The same
 *   holds for the DMA device of @drm from registration on. @__dev is not accessed once
 *   it is unbound.
 * - @__state goes from unregistered to dropped or registered, and from registered
 *   to ended; under @__lock.
 * - @__ops and @__data are set from drm_dev_ctx_attach() or the beginning of a registration
 *   until the data is released; under @__lock, or with a proof that the device is live.
 * - @__attached is set by drm_dev_ctx_attach(), under @__lock. A device that is unregistered
 *   and has @__attached owns the data.
 * - @__registered is set after @__ops and @__data, just before drm_dev_register(),
 *   because the minors are live before that function returns. It stays set: a device
 *   whose registration has ended is unplugged.
 * - @__busy is the task that holds @__lock, or the worker that it has call kms_shutdown.
 * - @__lock and @__shutdown have lockdep classes of their own (@__key, @__shutdown_key),
 *   because the callbacks of one device can end the registration of another one, of the
 *   same driver or not.
 * - @__dma_dev is the DMA device of @drm when it was registered. Nothing is mapped for another
 *   one, which would not be unbound after @__dev.
 * - @__type names the struct that @drm was allocated in, and @__reg_type the proof of the
 *   first section. The strings belong to the driver's module. Only its callbacks have
 *   them read, so it is still loaded then.
 * - @__bound_open, @__bound_users and @__bound_left are under @__bound_lock.
 *   @__bound_open is set from drm_dev_ctx_attach() or the beginning of a registration until
 *   its quiesce has returned. @__bound_users counts the blocks of drm_dev_ctx_guard_live()
 *   that were entered without a section, which is while @__bound_open is set; @__data is not
 *   released before it is zero. The block that makes it zero after @__bound_open was
 *   cleared completes @__bound_left.
 * - @__async, @__phase and @__async_now are under @__async_lock. @__phase is read without:
 *   it goes from held to open and over. The data is published before live code runs, and
 *   the device is registered before code that needs that does.
 * - @__async_now is what the task that holds @__lock ends. @__async_ended is woken when it
 *   has ended.
 * - @__waits_for is what the task that holds @__lock waits for, while @__stuck is
 *   scheduled and the device is not unregistered; or the task that revokes, @__revokes.
 * - @__refused has the places that were refused a section while the device was
 *   unregistered, or since unplugging began, each once, in front of zeroes. They are only
 *   ever added meanwhile.
 * - @__revocables, @__ends and @__unbound are under @__revocables_lock. @__unbound is
 *   set before the first entry is revoked, and nothing is added after that.
 * - @__ends counts the entries that drm_dev_ctx_revocable_take() took off and
 *   drm_dev_ctx_revocable_done() has not been called for. @__ended is woken when it
 *   changes after @__unbound was set, and when an entry has a reference again.
 * - The parent is bound, and @drm is held, until @__unbound is set, @__revocables is
 *   empty and @__ends is zero.
 */
struct drm_dev_ctx {
	struct drm_device drm;
	/* private: */
	struct drm_dev_ctx_data *__data;
	bool __registered;
	bool __attached;
	const struct drm_dev_ctx_ops *__ops;
	struct device *__dev;
	struct device *__dma_dev;
	bool __in_probe;	/* @__dev was not bound when the device was allocated */
	struct drm_dev_ctx_unreg __unreg;
	struct drm_dev_ctx_live __live;
	const char *__type;
	const struct drm_driver *__driver;	/* never read, only compared */
	u32 __type_hash;

	struct mutex __lock;	/* @__state, and the callbacks of the registration */
	struct lock_class_key __key;
	struct task_struct *__busy;
	struct work_struct __shutdown;
	struct lock_class_key __shutdown_key;
	enum drm_dev_ctx_state __state;

	raw_spinlock_t __bound_lock;	/* The three that follow, in interrupts, too */
	bool __bound_open __guarded_by(&__bound_lock);
	unsigned int __bound_users __guarded_by(&__bound_lock);
	struct completion __bound_left;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map __bound_map;	/* Release waits for @__bound_users. */
#endif

	raw_spinlock_t __async_lock;	/* The three that follow, in interrupts, too */
	struct list_head __async[DRM_DEV_CTX_TURNS] __guarded_by(&__async_lock);
	struct drm_dev_ctx_async *__async_now __guarded_by(&__async_lock);
	enum drm_dev_ctx_phase __phase[DRM_DEV_CTX_TURNS];
	wait_queue_head_t __async_ended;

	spinlock_t __revocables_lock;	/* The three that follow */
	struct list_head __revocables __guarded_by(&__revocables_lock);
	unsigned int __ends __guarded_by(&__revocables_lock);
	bool __unbound __guarded_by(&__revocables_lock);
	wait_queue_head_t __ended;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map __ends_map;	/* Unbinding waits for @__ends. */
#endif
	/* The report of a probe, or the end of a registration or a binding, that takes long */
	struct delayed_work __stuck;
	enum drm_dev_ctx_wait __waits_for;
	unsigned int __stuck_ms;
	struct task_struct *__revokes;
	unsigned long __refused[__DRM_DEV_CTX_REFUSED_MAX];
#ifdef CONFIG_DRM_SAFE_DEBUG
	const char *__reg_type;
	struct ref_tracker_dir __handles;
#endif
};

/**
 * struct drm_dev_ctx_handle - something that should be gone before its device is
 *
 * Embedded in the handles that other parts of the library give out. With
 * CONFIG_DRM_SAFE_DEBUG it remembers the stack that made the handle, for
 * debugfs and for the report when the device is released before it; otherwise
 * it takes no room.
 */
struct drm_dev_ctx_handle {
#ifdef CONFIG_DRM_SAFE_DEBUG
	/* private: */
	struct ref_tracker *__tracker;
#endif
};

/*
 * The unplug section of a scope. No pointer to it is taken before its proof exists, so
 * the compiler knows the value of @open everywhere and emits no test. drm_dev_enter()
 * takes a pointer to @idx, which is therefore a variable of its own: a copy would occupy
 * a register for the whole scope.
 */
struct drm_dev_ctx_section {
	struct drm_dev_ctx *ctx;
	int *idx;
	bool open;
	/* Entered with __drm_dev_ctx_bound_enter() instead, see drm_dev_ctx_guard_live() */
	bool bound;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct list_head node;
	struct task_struct *task;
	unsigned long where;
#endif
};

/*
 * The arguments of an allocation. @owner and @modname name the calling module, whose
 * driver has to be binding @dev. If the driver has @stated the parent, then @dev may be
 * bound by another module's driver, and may have been bound before if it is the parent.
 * @type is the name of the driver's struct.
 */
struct drm_dev_ctx_args {
	struct device *dev;
	struct device *parent;
	bool stated;
	const struct drm_driver *driver;
	size_t size;
	size_t offset;
	const struct module *owner;
	const char *modname;
	const char *type;
};

struct drm_dev_ctx_unreg *
__drm_dev_ctx_alloc(const struct drm_dev_ctx_args *args) __must_check;
void __drm_dev_ctx_drop(struct drm_dev_ctx_unreg *unreg);
const struct drm_dev_ctx_live *
__drm_dev_ctx_attach(struct drm_dev_ctx_unreg *unreg, const struct drm_dev_ctx_ops *ops,
		     struct drm_dev_ctx_data *data) __must_check;
int __drm_dev_ctx_register(struct device *dev, struct drm_dev_ctx_unreg *unreg,
			   const struct drm_dev_ctx_ops *ops,
			   struct drm_dev_ctx_data *data)
	__must_check __must_not_hold(drm_dev_section);
int __drm_dev_ctx_unregister(struct drm_dev_ctx *ctx) __must_not_hold(drm_dev_section);
void drm_dev_ctx_shutdown(struct device *dev) __must_not_hold(drm_dev_section);
void __cold __drm_dev_ctx_refused(struct drm_dev_ctx *ctx) __drm_nonallocating;
bool __drm_dev_ctx_bound_enter(struct drm_dev_ctx *ctx);
void __drm_dev_ctx_bound_leave(struct drm_dev_ctx *ctx);
#ifdef CONFIG_DRM_SAFE_DEBUG
bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx) __drm_nonallocating;
#else
static __always_inline bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx)
{
	return false;
}
#endif

int __drm_dev_ctx_report_sleepers(struct drm_dev_ctx *ctx, const struct task_struct *except);
void __cold __drm_dev_ctx_refused_at(struct drm_dev_ctx *ctx, unsigned long where);

int drm_dev_ctx_async_add(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_async *async,
			  const struct drm_dev_ctx_async_ops *ops, enum drm_dev_ctx_turn turn);
bool drm_dev_ctx_async_take(struct drm_dev_ctx_async *async);

/* Whether code of this turn needs a registration */
static inline bool __drm_dev_ctx_needs_reg(enum drm_dev_ctx_turn turn)
{
	return turn < DRM_DEV_CTX_LIVE_WORK;
}

static inline enum drm_dev_ctx_phase
__drm_dev_ctx_async_phase(const struct drm_dev_ctx_async *async)
{
	/*
	 * Acquire: pairs with the release in drm_dev_ctx_open_async(). What is started now
	 * sees the registration data.
	 */
	return smp_load_acquire(&async->__ctx->__phase[async->__turn]);
}

int drm_dev_ctx_revocable_add(const struct drm_dev_ctx_bound *bound,
			      struct drm_dev_ctx_revocable *rev,
			      const struct drm_dev_ctx_revocable_ops *ops) __must_check;
bool drm_dev_ctx_revocable_take(struct drm_dev_ctx *ctx,
				struct drm_dev_ctx_revocable *rev)
	__must_check __cond_acquires_shared(true, drm_dev_revocation);
void drm_dev_ctx_revocable_done(struct drm_dev_ctx *ctx)
	__releases_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_defer(struct drm_dev_ctx *ctx)
	__releases_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_resume(struct drm_dev_ctx *ctx)
	__acquires_shared(drm_dev_revocation);
void drm_dev_ctx_revocable_retry(struct drm_dev_ctx *ctx);

#if IS_ENABLED(CONFIG_KUNIT)
extern unsigned int drm_dev_ctx_section_limit_ms;
int drm_dev_ctx_make_known(struct drm_dev_ctx *ctx);
#endif

#ifdef CONFIG_DRM_SAFE_DEBUG
void drm_dev_ctx_handle_add(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
void drm_dev_ctx_handle_del(struct drm_device *drm, struct drm_dev_ctx_handle *handle);
void __drm_dev_ctx_section_track(struct drm_dev_ctx_section *s, const char *type);
void __drm_dev_ctx_section_untrack(struct drm_dev_ctx_section *s);
#else
static inline void drm_dev_ctx_handle_add(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
static inline void drm_dev_ctx_handle_del(struct drm_device *drm,
					  struct drm_dev_ctx_handle *handle) {}
static __always_inline void __drm_dev_ctx_section_track(struct drm_dev_ctx_section *s,
							const char *type) {}
static __always_inline void __drm_dev_ctx_section_untrack(struct drm_dev_ctx_section *s) {}
#endif

/**
 * to_drm_dev_ctx() - the contexts of a DRM device
 * @drm: a device that drm_dev_ctx_alloc() or drm_dev_ctx_alloc_parent() made
 *
 * For functions that get a &struct drm_device from DRM, and need a section or a block. With
 * CONFIG_DRM_SAFE_DEBUG, both refuse and report a device that was not made so.
 *
 * Context: Any.
 *
 * Return: the contexts, which exist as long as @drm.
 */
static __always_inline struct drm_dev_ctx *to_drm_dev_ctx(struct drm_device *drm)
{
	return container_of(drm, struct drm_dev_ctx, drm);
}

/**
 * drm_dev_ctx_bound_drm() - the DRM device that a proof is about
 * @bound: the proof
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct drm_device *
drm_dev_ctx_bound_drm(const struct drm_dev_ctx_bound *bound)
{
	return &bound->__ctx->drm;
}

/**
 * drm_dev_ctx_bound_parent() - the parent of a DRM device
 * @bound: the proof that it is bound
 *
 * The device that names the DRM device, and that does DMA for it unless
 * drm_dev_set_dma_dev() set another one: use drm_dev_dma_dev() for DMA. That one is
 * unbound after the device to which the DRM device belongs, too. The parent is
 * drm_dev_ctx_bound_device() as well, unless the device was allocated with
 * drm_dev_ctx_alloc_parent().
 *
 * Context: Any.
 *
 * Return: the parent, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_ctx_bound_parent(const struct drm_dev_ctx_bound *bound)
{
	return bound->__ctx->drm.dev;
}

/**
 * drm_dev_ctx_bound_device() - the bound device to which a DRM device belongs
 * @bound: the proof that it is bound
 *
 * The device that the driver's probe function was called for: the place of the
 * driver's managed allocations and driver data. See also drm_dev_ctx_bound_parent().
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_ctx_bound_device(const struct drm_dev_ctx_bound *bound)
{
	return bound->__ctx->__dev;
}

/**
 * drm_dev_ctx_unreg_drm() - the DRM device of a token
 * @unreg: the token
 *
 * Context: Any.
 *
 * Return: the device, borrowed from the token.
 */
static __always_inline struct drm_device *
drm_dev_ctx_unreg_drm(const struct drm_dev_ctx_unreg *unreg)
{
	return drm_dev_ctx_bound_drm(&drm_safe_live(unreg)->bound);
}

/**
 * drm_dev_ctx_reg_drm() - the DRM device that is registered
 * @reg: the proof
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct drm_device *
drm_dev_ctx_reg_drm(const struct drm_dev_ctx_reg *reg)
{
	return drm_dev_ctx_bound_drm(&reg->bound);
}

/**
 * drm_dev_ctx_reg_data() - the registration data
 * @reg: proof that there is some
 *
 * Context: Any.
 *
 * Return: what was given to drm_dev_ctx_register(), for the scope of @reg.
 */
static __always_inline struct drm_dev_ctx_data *
drm_dev_ctx_reg_data(const struct drm_dev_ctx_reg *reg)
{
	return reg->bound.__ctx->__data;
}

/**
 * drm_dev_ctx_reg_live() - the weaker proof of a device that is registered
 * @reg: the proof
 *
 * Context: Any.
 *
 * Return: the weaker proof, for the scope of @reg.
 */
static __always_inline const struct drm_dev_ctx_live *
drm_dev_ctx_reg_live(const struct drm_dev_ctx_reg *reg)
{
	return container_of_const(&reg->bound, struct drm_dev_ctx_live, bound);
}

/**
 * drm_dev_ctx_reg_ending() - whether the registration is about to end
 * @reg: the proof
 *
 * For the condition of a wait inside of a section: true before &drm_dev_ctx_ops.stop is
 * called, which wakes up the wait.
 *
 * Context: Any.
 *
 * Return: whether the end of the registration has begun. It waits for this section.
 */
static __always_inline bool drm_dev_ctx_reg_ending(const struct drm_dev_ctx_reg *reg)
{
	return READ_ONCE(reg->bound.__ctx->__state) == DRM_DEV_CTX_ENDED;
}

/**
 * drm_dev_ctx_live_drm() - the DRM device that is live
 * @live: the proof
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct drm_device *
drm_dev_ctx_live_drm(const struct drm_dev_ctx_live *live)
{
	return drm_dev_ctx_bound_drm(&live->bound);
}

/**
 * drm_dev_ctx_live_data() - the registration data
 * @live: proof that there is some
 *
 * Context: Any.
 *
 * Return: what was given to drm_dev_ctx_attach() or drm_dev_ctx_register(), for the scope
 * of @live.
 */
static __always_inline struct drm_dev_ctx_data *
drm_dev_ctx_live_data(const struct drm_dev_ctx_live *live)
{
	return live->bound.__ctx->__data;
}

/**
 * drm_dev_ctx_reg_ioctl() - the weaker context of a device that is registered
 * @reg: the proof
 *
 * Context: Any.
 *
 * Return: the context, which is valid for as long as the device exists.
 */
static __always_inline struct drm_dev_ctx_ioctl *
drm_dev_ctx_reg_ioctl(const struct drm_dev_ctx_reg *reg)
{
	return (struct drm_dev_ctx_ioctl *)reg->bound.__ctx;
}

/**
 * drm_dev_ctx_ioctl_drm() - the DRM device that an ioctl was called on
 * @ioctl: the context
 *
 * Context: Any.
 *
 * Return: the device.
 */
static __always_inline struct drm_device *
drm_dev_ctx_ioctl_drm(struct drm_dev_ctx_ioctl *ioctl)
{
	/* By the definition of struct drm_dev_ctx_ioctl. */
	return &((struct drm_dev_ctx *)ioctl)->drm;
}

/**
 * drm_dev_ctx_data_drm() - the DRM device that registration data belongs to
 * @data: the data
 *
 * Context: Any.
 *
 * Return: the device, borrowed from the registration; NULL before it begins.
 */
static inline struct drm_device *drm_dev_ctx_data_drm(const struct drm_dev_ctx_data *data)
{
	return data->__ctx ? &data->__ctx->drm : NULL;
}

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_dev_ctx_check_type(struct drm_dev_ctx *ctx, const char *type);
#else
static __always_inline void __drm_dev_ctx_check_type(struct drm_dev_ctx *ctx, const char *type) {}
#endif

/**
 * drm_dev_ctx_entry() - the driver's type around a DRM device
 * @_drm: the &struct drm_device
 * @_type: the driver's struct
 * @_member: the &struct drm_dev_ctx in it
 *
 * As container_of(). With CONFIG_DRM_SAFE_DEBUG, a device that drm_dev_ctx_alloc() made for
 * another type is reported: it was given the &struct drm_driver of another type.
 *
 * Context: Any.
 *
 * Return: the struct.
 */
#define drm_dev_ctx_entry(_drm, _type, _member) ({				\
	struct drm_dev_ctx *__entry = to_drm_dev_ctx(_drm);			\
										\
	__drm_dev_ctx_check_type(__entry, #_type);				\
	container_of(__entry, _type, _member);					\
})

/*
 * Without an owner, the module can be unloaded while files are open. Where the
 * compiler sees the struct drm_driver, the build fails; where it does not, the
 * allocation.
 */
#ifdef MODULE
#define __drm_dev_ctx_assert_owner(_driver) ({					\
	const struct drm_driver *__driver = (_driver);				\
	const struct file_operations *__fops = __driver->fops;			\
	bool __no_owner = __fops && !__fops->owner;				\
										\
	compiletime_assert(!(__builtin_constant_p(__no_owner) && __no_owner),	\
			   "the file operations have no owner: THIS_MODULE");	\
	__driver;								\
})
#else
#define __drm_dev_ctx_assert_owner(_driver)	(_driver)
#endif

#define ___drm_dev_ctx_alloc(_dev, _parent, _stated, _driver, _type, _member) ({	\
	static_assert(__same_type(((_type *)NULL)->_member, struct drm_dev_ctx),	\
		      #_type "." #_member " must be a struct drm_dev_ctx");	\
	static_assert(__alignof__(_type) <= SMP_CACHE_BYTES,			\
		      #_type " needs more alignment than allocations have");	\
	__drm_dev_ctx_alloc(&(const struct drm_dev_ctx_args) {			\
		.dev = (_dev),							\
		.parent = (_parent),						\
		.stated = (_stated),						\
		.driver = __drm_dev_ctx_assert_owner(_driver),			\
		.size = sizeof(_type),						\
		.offset = offsetof(_type, _member.drm),				\
		.owner = THIS_MODULE,						\
		.modname = KBUILD_MODNAME,					\
		.type = #_type,							\
	});									\
})

/**
 * drm_dev_ctx_alloc() - allocate a device in its unregistered context
 * @_dev: the device that is being bound, and the parent of the new device
 * @_driver: the driver; its file operations are owned by this module
 * @_type: the driver's struct
 * @_member: the &struct drm_dev_ctx in it
 *
 * The memory stays until @_dev is unbound or its probe function fails, and longer if
 * someone holds a reference.
 *
 * Context: May sleep. From the probe function of the driver of @_dev.
 *
 * Return: the token, a ``struct drm_dev_ctx_unreg *``; an ERR_PTR() on error:
 *
 * * -EINVAL - @_dev is not being bound to a driver of this module, the owner of the file
 *   operations is another one, or a device of @_driver exists in another struct; each is reported
 * * -ENOMEM - there is no memory
 */
#define drm_dev_ctx_alloc(_dev, _driver, _type, _member) ({			\
	struct device *__alloc_dev = (_dev);					\
										\
	___drm_dev_ctx_alloc(__alloc_dev, __alloc_dev, false, _driver, _type, _member); \
})

/**
 * drm_dev_ctx_alloc_parent() - allocate a device whose parent is another device
 * @_dev: the device that is being bound
 * @_parent: the parent of the new device, such as the PCI device below a virtio device
 * @_driver: the driver; its file operations are owned by this module
 * @_type: the driver's struct
 * @_member: the &struct drm_dev_ctx in it
 *
 * Has the driver core unbind @_dev before @_parent, by a device link.
 *
 * Context: May sleep. From the probe function of the driver of @_dev.
 *
 * Return: as drm_dev_ctx_alloc(); -EINVAL also if @_parent depends on @_dev.
 */
#define drm_dev_ctx_alloc_parent(_dev, _parent, _driver, _type, _member)	\
	___drm_dev_ctx_alloc(_dev, _parent, true, _driver, _type, _member)

/*
 * Means "no section is open in this scope"; the macros below hide it by a
 * declaration of the same name and another type.
 */
enum { __drm_dev_ctx_in_section };

#define __drm_dev_ctx_assert_no_section()					\
	static_assert(__same_type(__drm_dev_ctx_in_section, int),		\
		      "inside of a section that needs a registration, this waits for itself")

/**
 * drm_dev_ctx_attach() - give a device its registration data before it is registered
 * @unreg: the token
 * @ops: how the registration ends, or NULL
 * @data: registration data, owned by the device from here on
 *
 * For hardware that has to answer before the device can be registered: blocks of
 * drm_dev_ctx_guard_live() are entered from here on, and interrupts can be requested.
 * Once for a device. The data is quiesced and released, in this order, when the
 * registration ends or fails, when the token is dropped, or when its device is unbound.
 *
 * Context: May sleep. From the probe function of the driver of the device.
 *
 * Return: the proof, borrowed from the token; an ERR_PTR() on error: the data was quiesced
 * and released. -EINVAL if the device has registration data or had some, which is
 * reported; -ENOMEM.
 */
static __always_inline const struct drm_dev_ctx_live * __must_check
drm_dev_ctx_attach(struct drm_dev_ctx_unreg *unreg, const struct drm_dev_ctx_ops *ops,
		   struct drm_dev_ctx_data *data)
{
	return __drm_dev_ctx_attach(drm_safe_live(unreg), ops, data);
}

/**
 * drm_dev_ctx_register() - register a device
 * @dev: the device that is being bound, to which the device was allocated;
 *	another one is reported and gives -EINVAL
 * @unreg: address of the variable that holds the token; the variable is NULL
 *	afterwards, whatever is returned
 * @ops: how the registration ends, or NULL
 * @data: registration data, owned by the registration from here on; if it is NULL, then
 *	@ops gets NULL. If drm_dev_ctx_attach() was called, then @ops and @data are as
 *	there, or both NULL
 *
 * Publishes the registration data and then the device. The registration ends
 * when @dev is unbound, or with drm_dev_ctx_unregister(). If drm_dev_set_dma_dev() was
 * called, then a device link has the driver core unbind @dev before that DMA device. It must not
 * be called after this: no sg table is mapped then, which is reported.
 *
 * Does not compile in the scope of drm_dev_ctx_guard() or drm_dev_ctx_or().
 *
 * Context: May sleep. From the probe function of the driver of @dev.
 *
 * Return: 0 or a negative error code. On error, the registration data was
 * quiesced and released, in this order, and userspace does not find the device. If
 * the device was live for a moment, then kms_shutdown ran first. A token that is NULL or
 * an ERR_PTR() is reported. There is no proof for quiesce in that case, so the data was
 * only released.
 */
static __always_inline int __must_check
drm_dev_ctx_register(struct device *dev, struct drm_dev_ctx_unreg **unreg,
		     const struct drm_dev_ctx_ops *ops, struct drm_dev_ctx_data *data)
	__releases(*unreg) __must_not_hold(drm_dev_section) __no_context_analysis
{
	return __drm_dev_ctx_register(dev, drm_safe_take(*unreg), ops, data);
}

#define drm_dev_ctx_register(_dev, _unreg, _ops, _data)				\
	drm_dev_ctx_register(({ __drm_dev_ctx_assert_no_section(); (_dev); }),	\
			     _unreg, _ops, _data)

/**
 * drm_dev_ctx_drop() - give up a device that was not registered
 * @unreg: address of the variable that holds the token; the variable is NULL
 *	afterwards
 *
 * The same happens at the end of the scope of a token that is
 * ``__free(drm_dev_ctx_unreg)``. What the device holds stays until the parent is
 * unbound or its probe function has failed, as with devm_drm_dev_alloc().
 *
 * Context: May sleep.
 */
static __always_inline void drm_dev_ctx_drop(struct drm_dev_ctx_unreg **unreg)
	__releases(*unreg) __no_context_analysis
{
	__drm_dev_ctx_drop(drm_safe_take(*unreg));
}

DEFINE_FREE(drm_dev_ctx_unreg, struct drm_dev_ctx_unreg *,
	    if (!IS_ERR_OR_NULL(_T)) __drm_dev_ctx_drop(_T))

/**
 * drm_dev_ctx_unregister() - end a registration before the parent is unbound
 * @ctx: the device; the caller holds a reference, or the parent is bound
 *
 * Stops waits, unplugs the device, waits for all sections that need the registration, shuts
 * down the display, quiesces the hardware and releases the registration data;
 * if another thread is doing so, waits for it. Does not compile in the scope of
 * drm_dev_ctx_guard() or drm_dev_ctx_or(), on whatever device: DRM waits for the
 * sections of all devices, so this would wait for itself.
 *
 * Context: May sleep. Not from a section that needs a registration, nor from a
 * callback of &struct drm_dev_ctx_ops, nor from a handler of drm_dev_ctx_async.h.
 *
 * Return:
 * * 0 - the registration ended here
 * * -ENODEV - there is none: it ended before, or never was
 * * -EDEADLK - called from where it would wait for itself; nothing was done
 */
static __always_inline int drm_dev_ctx_unregister(struct drm_dev_ctx *ctx)
	__must_not_hold(drm_dev_section)
{
	return __drm_dev_ctx_unregister(ctx);
}

#define drm_dev_ctx_unregister(_ctx)						\
	drm_dev_ctx_unregister(({ __drm_dev_ctx_assert_no_section(); (_ctx); }))

/*
 * An ioctl runs on a device that has been registered, so @registered is true there and
 * @__registered is not read. DRM publishes minors and looks them up under a lock, which
 * orders the registration data, too.
 */
static __always_inline struct drm_dev_ctx_section
__drm_dev_ctx_try_enter(int *idx, struct drm_dev_ctx *ctx, bool registered)
	__no_context_analysis
{
	struct drm_dev_ctx_section s = { .ctx = ctx, .idx = idx };

	/* What follows the struct drm_device of another driver is not read. */
	if (__drm_dev_ctx_is_foreign(ctx))
		return s;
	if (unlikely(!drm_dev_enter(&ctx->drm, idx)))
		return s;
	/*
	 * drm_dev_enter() succeeds on a device that was never registered.
	 * Acquire: pairs with the release in drm_dev_ctx_go_live(). The
	 * registration data of a registered device is seen, too.
	 */
	if (unlikely(!registered && !smp_load_acquire(&ctx->__registered))) {
		drm_dev_exit(*idx);
		return s;
	}
	s.open = true;
	return s;
}

/*
 * The classes that scoped_guard() uses. DEFINE_CLASS() would hide the functions from tags.
 * The constructors acquire on every path, for clang's context analysis, because the
 * destructor runs on every path.
 */
typedef struct drm_dev_ctx_section class_drm_dev_ctx_section_t;
typedef struct drm_dev_ctx_section class_drm_dev_ctx_section_live_t;

static __always_inline struct drm_dev_ctx_section
class_drm_dev_ctx_section_constructor(int *idx, struct drm_dev_ctx *ctx, bool registered)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	struct drm_dev_ctx_section s = __drm_dev_ctx_try_enter(idx, ctx, registered);

	if (unlikely(!s.open))
		__drm_dev_ctx_refused(ctx);
	return s;
}

/* Whether the device is registered, or is being unregistered and not quiesced yet */
static __always_inline struct drm_dev_ctx_section
class_drm_dev_ctx_section_live_constructor(int *idx, struct drm_dev_ctx *ctx)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	struct drm_dev_ctx_section s = __drm_dev_ctx_try_enter(idx, ctx, false);

	if (unlikely(!s.open))
		s.bound = __drm_dev_ctx_bound_enter(ctx);
	return s;
}

static __always_inline void
class_drm_dev_ctx_section_destructor(struct drm_dev_ctx_section *s)
	__releases_shared(drm_dev_section) __no_context_analysis
{
	if (!s->open && !s->bound)
		return;
	__drm_dev_ctx_section_untrack(s);
	if (s->bound)
		__drm_dev_ctx_bound_leave(s->ctx);
	else
		drm_dev_exit(*s->idx);
}

static __always_inline void *
class_drm_dev_ctx_section_lock_ptr(struct drm_dev_ctx_section *s)
{
	return s->open || s->bound ? s : NULL;
}

#define class_drm_dev_ctx_section_is_conditional	true
#define class_drm_dev_ctx_section_live_destructor	class_drm_dev_ctx_section_destructor
#define class_drm_dev_ctx_section_live_lock_ptr	class_drm_dev_ctx_section_lock_ptr
#define class_drm_dev_ctx_section_live_is_conditional	true

/* What a section is entered from: a device, or an ioctl's context of it */
#define __drm_dev_ctx_from(_from)						\
	_Generic((_from), struct drm_dev_ctx *: (_from),			\
		 struct drm_dev_ctx_ioctl *: (struct drm_dev_ctx *)(void *)(_from)), \
	_Generic((_from), struct drm_dev_ctx *: false, struct drm_dev_ctx_ioctl *: true)

/*
 * Tracks the section here: the constructor of a class returns a copy. @type names the proof's
 * type.
 */
static __always_inline struct drm_dev_ctx *
__drm_dev_ctx_section_ctx(struct drm_dev_ctx_section *s, const char *type)
{
	if (s->open || s->bound)
		__drm_dev_ctx_section_track(s, type);
	return s->ctx;
}

/*
 * scoped_cond_guard(), whose statement for a class that is not entered comes last and may have
 * commas. @_args are those of the constructor, in parentheses.
 */
#define __drm_dev_ctx_scoped_else(_name, _label, _args, ...)			\
	for (CLASS(_name, scope)_args; true; ({ goto _label; }))		\
		if (!__guard_ptr(_name)(&scope)) {				\
			__VA_ARGS__;						\
_label:										\
			break;							\
		} else

/* An int for the section of the block that follows, which is run once */
#define __drm_dev_ctx_idx()							\
	for (int __idx, *__once = &__idx; __once; __once = NULL)

/*
 * The block that follows runs once, with a proof of type @_type whose member @_member
 * is the device of scoped_guard()'s section. No jump leads into it.
 */
#define __drm_dev_ctx_proof(_type, _proof, _member)				\
	for (const struct _type _proof[1] __maybe_unused =			\
	     { { ._member = __drm_dev_ctx_section_ctx(&scope, #_type) } },	\
	     *__drm_dev_ctx_in_section = _proof; __drm_dev_ctx_in_section;	\
	     __drm_dev_ctx_in_section = NULL)					\
		__drm_safe_no_jump_into(scope, __drm_dev_ctx_in_section,	\
					__drm_dev_ctx_in_section = NULL)

/**
 * drm_dev_ctx_guard() - run a block if a device is registered
 * @_type: the driver's proof, without struct: see &struct drm_dev_ctx_reg
 * @_proof: name of the proof, a ``const struct _type *`` for the block
 * @_from: the &struct drm_dev_ctx, or the ``struct drm_dev_ctx_ioctl *`` of an ioctl
 *
 * The block is skipped unless the device is registered and not unplugged, and
 * the device stays so until the block is left, on whatever path. It is a loop
 * that runs at most once: break leaves it.
 *
 * Context: Any but NMI. The block may sleep if its surroundings may.
 */
#define drm_dev_ctx_guard(_type, _proof, _from)					\
	__drm_dev_ctx_idx()							\
		scoped_guard(drm_dev_ctx_section, &__idx, __drm_dev_ctx_from(_from)) \
			__drm_dev_ctx_proof(_type, _proof, base.bound.__ctx)

/**
 * drm_dev_ctx_guard_else() - run a block if a device is registered, or else a statement
 * @_type: the driver's proof, without struct: see &struct drm_dev_ctx_reg
 * @_proof: name of the proof, a ``const struct _type *`` for the block
 * @_from: the &struct drm_dev_ctx, or the ``struct drm_dev_ctx_ioctl *`` of an ioctl
 * @...: statement in place of the block, such as ``ret = -ENODEV``
 *
 * As drm_dev_ctx_guard().
 *
 * Context: Any but NMI. The block may sleep if its surroundings may.
 */
#define drm_dev_ctx_guard_else(_type, _proof, _from, ...)			\
	__drm_dev_ctx_idx()							\
		__drm_dev_ctx_scoped_else(drm_dev_ctx_section, __UNIQUE_ID(label), \
					  (&__idx, __drm_dev_ctx_from(_from)), __VA_ARGS__) \
			__drm_dev_ctx_proof(_type, _proof, base.bound.__ctx)

/**
 * drm_dev_ctx_guard_live() - run a block if the hardware may still be used
 * @_live: name of the proof, a ``const struct drm_dev_ctx_live *`` for the block
 * @_ctx: the device
 *
 * As drm_dev_ctx_guard(), but the block also runs before registration, from
 * drm_dev_ctx_attach() on, and while the registration
 * ends, in any task, until quiesce has returned: the device is unplugged by then, and
 * yet the hardware is there. Use it in functions that drm_atomic_helper_shutdown()
 * calls or waits for, such as &drm_crtc_helper_funcs.atomic_disable, also in the worker
 * of a nonblocking commit, and in other work that quiesce flushes. The registration data
 * is not released before the block is left.
 *
 * Context: Any but NMI. The block must not wait for the end of the registration.
 */
#define drm_dev_ctx_guard_live(_live, _ctx)					\
	__drm_dev_ctx_idx()							\
		scoped_guard(drm_dev_ctx_section_live, &__idx, _ctx)		\
			__drm_dev_ctx_proof(drm_dev_ctx_live, _live, bound.__ctx)

/**
 * drm_dev_ctx_guard_live_else() - run a block if the hardware may be used, or else a statement
 * @_live: name of the proof, a ``const struct drm_dev_ctx_live *`` for the block
 * @_ctx: the device
 * @...: statement in place of the block, such as ``ret = -ENODEV``
 *
 * As drm_dev_ctx_guard_live().
 *
 * Context: Any but NMI. The block must not wait for the end of the registration.
 */
#define drm_dev_ctx_guard_live_else(_live, _ctx, ...)				\
	__drm_dev_ctx_idx()							\
		__drm_dev_ctx_scoped_else(drm_dev_ctx_section_live, __UNIQUE_ID(label), \
					  (&__idx, _ctx), __VA_ARGS__)		\
			__drm_dev_ctx_proof(drm_dev_ctx_live, _live, bound.__ctx)

/**
 * drm_dev_ctx_or() - need a registered device to the end of the scope
 * @_type: the driver's proof, without struct: see &struct drm_dev_ctx_reg
 * @_proof: name of the proof, a ``const struct _type *`` from here on
 * @_from: the &struct drm_dev_ctx, or the ``struct drm_dev_ctx_ioctl *`` of an ioctl
 * @...: statement that leaves the scope if the device is not registered, such
 *	as ``return -ENODEV``
 *
 * Does not compile if a goto or a case label leads past it into its scope, where the
 * proof would not exist. The same holds for a goto in @....
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_or(_type, _proof, _from, ...)				\
	int __idx_##_proof;							\
	CLASS(drm_dev_ctx_section, __section_##_proof)(&__idx_##_proof,		\
						       __drm_dev_ctx_from(_from)); \
	__drm_dev_ctx_or(_type, _proof, base.bound.__ctx, __VA_ARGS__)

/**
 * drm_dev_ctx_live_or() - need the hardware to the end of the scope
 * @_live: name of the proof, a ``const struct drm_dev_ctx_live *`` from here on
 * @_ctx: the device
 * @...: statement that leaves the scope if the hardware may not be used, such
 *	as ``return -ENODEV``
 *
 * The rest of the scope is as the block of drm_dev_ctx_guard_live(). Does not compile if a goto
 * or a case label leads past it into its scope.
 *
 * Context: Any but NMI. The scope must not wait for the end of the registration.
 */
#define drm_dev_ctx_live_or(_live, _ctx, ...)					\
	int __idx_##_live;							\
	CLASS(drm_dev_ctx_section_live, __section_##_live)(&__idx_##_live, _ctx); \
	__drm_dev_ctx_or(drm_dev_ctx_live, _live, bound.__ctx, __VA_ARGS__)

/* The rest of the two above; @_member of the proof is the device. */
#define __drm_dev_ctx_or(_type, _proof, _member, ...)				\
	extern struct drm_dev_ctx_section *__drm_dev_ctx_in_section __maybe_unused; \
	if (!class_drm_dev_ctx_section_lock_ptr(&__section_##_proof)) {		\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_proof, __section_##_proof);				\
	const struct _type _proof[1] __maybe_unused = { {			\
		._member = __drm_dev_ctx_section_ctx(&__section_##_proof, #_type) \
	} }

/* The _IOC_SIZE() of an ioctl with an argument of @_type; void stands for none */
#define __drm_dev_ctx_ioctl_size(_type)						\
	(__builtin_types_compatible_p(_type, void) ? 0 : sizeof(_type))

/* The ioctl is one of a driver's, with an argument of this size */
#define __drm_dev_ctx_assert_ioctl(_ioctl, _arg_t)				\
	static_assert(_IOC_SIZE(DRM_IOCTL_##_ioctl) ==				\
		      __drm_dev_ctx_ioctl_size(_arg_t),				\
		      #_ioctl " has an argument of another size than " #_arg_t); \
	static_assert(_IOC_TYPE(DRM_IOCTL_##_ioctl) == DRM_IOCTL_BASE &&	\
		      _IOC_NR(DRM_IOCTL_##_ioctl) >= DRM_COMMAND_BASE &&	\
		      _IOC_NR(DRM_IOCTL_##_ioctl) < DRM_COMMAND_END,		\
		      #_ioctl " is not an ioctl of a DRM driver")

/* The entry point of an ioctl; @_call calls the handler with args and file. */
#define __DRM_DEV_CTX_IOCTL(_ioctl, _arg_t, _call)				\
int __drm_dev_ctx_ioctl_##_ioctl(struct drm_device *drm, void *data,		\
				 struct drm_file *file)				\
{										\
	__drm_dev_ctx_assert_ioctl(_ioctl, _arg_t);				\
	/* A driver with these ioctls allocates its devices as struct drm_dev_ctx. */ \
	struct drm_dev_ctx_ioctl *ioctl = (void *)to_drm_dev_ctx(drm);		\
	_arg_t *args = data;							\
										\
	_call;									\
}										\
static_assert(1)

#define __DRM_DEV_CTX_IOCTL_REG(_ioctl, _handler, _reg_t, _arg_t)		\
	__DRM_DEV_CTX_IOCTL(_ioctl, _arg_t,					\
			    drm_dev_ctx_or(_reg_t, reg, ioctl, return -ENODEV);	\
			    return _handler(reg, args, file))

/**
 * DRM_DEV_CTX_IOCTL() - the entry point of an ioctl that needs a registered device
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``
 * @_handler: ``int handler(const struct _reg_t *reg, _arg_t *args, struct drm_file *file)``
 * @_reg_t: the driver's proof, without struct: see &struct drm_dev_ctx_reg
 * @_arg_t: type of the argument; void for an ioctl without one
 *
 * The ioctl fails with -ENODEV once the device is unplugged, and unplugging waits for
 * the handler. The build fails if the handler has other types, or if the argument has
 * not the size that the ioctl's number says. For the table of the same file.
 */
#define DRM_DEV_CTX_IOCTL(_ioctl, _handler, _reg_t, _arg_t)			\
	static __DRM_DEV_CTX_IOCTL_REG(_ioctl, _handler, _reg_t, _arg_t)

/**
 * DRM_DEV_CTX_IOCTL_UNGUARDED() - the entry point of an ioctl that unplugging does not wait for
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``
 * @_handler: ``int handler(struct drm_dev_ctx_ioctl *ioctl, _arg_t *args, struct drm_file *file)``
 * @_arg_t: type of the argument; void for an ioctl without one
 *
 * The device has been registered, and may be unplugged at any time while the handler runs:
 * the handler opens a section where it touches the hardware. For handlers that copy from
 * or to userspace, or wait for long. After the unplug, drm_ioctl() returns -ENODEV. For the
 * table of the same file.
 */
#define DRM_DEV_CTX_IOCTL_UNGUARDED(_ioctl, _handler, _arg_t)			\
	static __DRM_DEV_CTX_IOCTL(_ioctl, _arg_t, return _handler(ioctl, args, file))

/**
 * DRM_DEV_CTX_IOCTL_DECLARE() - declare the entry point of an ioctl for the table of another file
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``
 *
 * In a header of the driver. DRM_DEV_CTX_IOCTL_EXTERN() or
 * DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN() defines it. Two drivers that are both built in must not
 * have an ioctl of the same name so.
 */
#define DRM_DEV_CTX_IOCTL_DECLARE(_ioctl)					\
	int __drm_dev_ctx_ioctl_##_ioctl(struct drm_device *drm, void *data,	\
					 struct drm_file *file)

/**
 * DRM_DEV_CTX_IOCTL_EXTERN() - as DRM_DEV_CTX_IOCTL(), for the table of another file
 * @_ioctl: the ioctl, which DRM_DEV_CTX_IOCTL_DECLARE() declared
 * @_handler: as for DRM_DEV_CTX_IOCTL()
 * @_reg_t: the driver's proof, without struct
 * @_arg_t: type of the argument; void for an ioctl without one
 */
#define DRM_DEV_CTX_IOCTL_EXTERN(_ioctl, _handler, _reg_t, _arg_t)		\
	__DRM_DEV_CTX_IOCTL_REG(_ioctl, _handler, _reg_t, _arg_t)

/**
 * DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN() - as DRM_DEV_CTX_IOCTL_UNGUARDED(), for another file's table
 * @_ioctl: the ioctl, which DRM_DEV_CTX_IOCTL_DECLARE() declared
 * @_handler: as for DRM_DEV_CTX_IOCTL_UNGUARDED()
 * @_arg_t: type of the argument; void for an ioctl without one
 */
#define DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN(_ioctl, _handler, _arg_t)		\
	__DRM_DEV_CTX_IOCTL(_ioctl, _arg_t, return _handler(ioctl, args, file))

#ifdef CONFIG_CC_IS_CLANG
#define __DRM_DEV_CTX_ONCE	"clang diagnostic error \"-Winitializer-overrides\""
#else
#define __DRM_DEV_CTX_ONCE	"GCC diagnostic error \"-Woverride-init\""
#endif

/**
 * DRM_DEV_CTX_IOCTLS() - begin the table of a driver's ioctls
 * @_name: the table, for &drm_driver.ioctls
 *
 * .. example: after drm_dev_ctx-ioctl
 * .. code-block:: c
 *
 *	DRM_DEV_CTX_IOCTLS(foo_ioctls) = {
 *		DRM_DEV_CTX_IOCTL_DEF(FOO_SUBMIT, DRM_RENDER_ALLOW),
 *	};
 *
 * A ``static const struct drm_ioctl_desc`` array. The build fails if a number occurs
 * twice. ARRAY_SIZE() of the table is &drm_driver.num_ioctls.
 */
#define DRM_DEV_CTX_IOCTLS(_name)						\
	_Pragma(__DRM_DEV_CTX_ONCE)						\
	static const struct drm_ioctl_desc _name[]

/**
 * DRM_DEV_CTX_IOCTLS_EXTERN() - as DRM_DEV_CTX_IOCTLS(), for the &struct drm_driver of another file
 * @_name: the table. A header declares it with the number of ioctls:
 *	``extern const struct drm_ioctl_desc foo_ioctls[FOO_IOCTLS];``
 *
 * The build fails if it has another number of them.
 */
#define DRM_DEV_CTX_IOCTLS_EXTERN(_name)					\
	_Pragma(__DRM_DEV_CTX_ONCE)						\
	const struct drm_ioctl_desc _name[]

/**
 * DRM_DEV_CTX_IOCTL_DEF() - an entry of the table of a driver's ioctls
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``, that DRM_DEV_CTX_IOCTL() or
 *	DRM_DEV_CTX_IOCTL_UNGUARDED() defined
 * @_flags: of &enum drm_ioctl_flags
 */
#define DRM_DEV_CTX_IOCTL_DEF(_ioctl, _flags)					\
	DRM_IOCTL_DEF_DRV(_ioctl, __drm_dev_ctx_ioctl_##_ioctl, _flags)

#endif /* _DRM_DEV_CTX_H */
