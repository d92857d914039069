/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_DEV_CTX_H
#define _DRM_DEV_CTX_H

#include <linux/atomic.h>
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
struct drm_shmem_ends;

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
 * A function that touches the hardware, and need not keep the device from being unplugged,
 * takes a pointer to this. Examples are the callbacks of a display, and the completers
 * that sections wait for. drm_dev_ctx_reg_live() returns one for a
 * &struct drm_dev_ctx_reg.
 *
 * Invariants:
 *
 * - The registration data is published, and not released yet. drm_dev_ctx_attach() or the
 *   beginning of drm_dev_ctx_register() publishes it.
 */
struct drm_dev_ctx_live {
	struct drm_dev_ctx_bound bound;
};

__DRM_TOKEN(drm_dev_ctx_unreg);

/**
 * struct drm_dev_ctx_unreg - token of a device that is not registered yet
 * @bound: the weaker proof
 *
 * Invariants:
 *
 * - There is at most one for a device.
 * - Registration uses it up, and so does dropping it.
 */
struct drm_dev_ctx_unreg {
	struct drm_dev_ctx_bound bound;
};

/**
 * struct drm_dev_ctx_reg - proof that a device is registered and not unplugged
 * @bound: the weaker proof
 *
 * A driver embeds this in a proof type of its own, as the only member, and names the
 * member base. All sections of a device have proofs of the same type:
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
 * - This task is in the device's unplug section, or is called as
 *   &drm_dev_ctx_ops.stop of a registration that fails. The registration data has
 *   been published.
 */
struct drm_dev_ctx_reg {
	struct drm_dev_ctx_bound bound;
};

/*
 * A struct drm_dev_ctx whose device has been registered and may be unplugged by now. The
 * separate name makes a separate type, which is never defined.
 */
struct drm_dev_ctx_ioctl;

/**
 * struct drm_dev_ctx_data - base of the registration data
 *
 * Embedded in the struct that a driver gives to drm_dev_ctx_register(). The data lives
 * as long as the registration, and belongs to one device. Until the release step of that
 * device begins, every other device refuses the data and does not change it. A driver that calls
 * drm_dev_ctx_data_drm() before the registration begins must zero the data first.
 */
struct drm_dev_ctx_data {
	/* private: */
	struct drm_dev_ctx *__ctx;
};

/**
 * struct drm_dev_ctx_ops - how a registration ends
 *
 * The callbacks run in the order of the members, each at most once. The thread that ends
 * the registration waits for each callback, so none of them may wait for that thread.
 */
struct drm_dev_ctx_ops {
	/**
	 * @stop:
	 *
	 * Optional. Ends the waits inside sections that nothing else would end. The callback
	 * need not wake up drm_dev_ctx_wait_event(). The device is still registered. Tasks can
	 * still enter sections after this callback, so they check drm_dev_ctx_reg_ending()
	 * before they wait. Not called if the device was never registered. If
	 * drm_dev_register() fails and waits for sections that were entered meanwhile, a worker
	 * calls this callback, and the device is already unplugged.
	 */
	void (*stop)(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data);

	/**
	 * @kms_shutdown:
	 *
	 * Optional. Turns the display off with drm_atomic_helper_shutdown(). The device is
	 * unplugged, but the hardware is still there, so the callbacks of the display use
	 * drm_dev_ctx_guard_live(). Runs in a kernel worker, where a signal to the task that
	 * unbinds the parent cannot interrupt the waits of this callback. Not called if the
	 * device was never registered.
	 */
	void (*kms_shutdown)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data);

	/**
	 * @quiesce:
	 *
	 * Optional. Stops the hardware, and ends every user of the hardware or of the
	 * registration data that the library does not end itself. All sections have been
	 * left. The completers of drm_dev_ctx_async.h still run during this callback, and
	 * until the library ends them afterwards.
	 */
	void (*quiesce)(const struct drm_dev_ctx_bound *bound,
			struct drm_dev_ctx_data *data);

	/**
	 * @release:
	 *
	 * Optional. Frees the registration data, which has no users any more. @quiesce,
	 * if set, has run before.
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
	 * Takes a reference, which @revoke or @put puts. Returns false if the last reference is
	 * gone. In that case the task that dropped it is about to call
	 * drm_dev_ctx_revocable_take(), or to restore the reference and call
	 * drm_dev_ctx_revocable_retry(). Unbinding waits for that task. Must not sleep:
	 * called under a spinlock and in the condition of a wait.
	 */
	bool (*get)(struct drm_dev_ctx_revocable *rev);

	/**
	 * @revoke:
	 *
	 * Revokes the entry because the parent is being unbound. The entry is off the
	 * list, and cannot be added again. Called without any lock held, and may sleep.
	 */
	void (*revoke)(struct drm_dev_ctx_revocable *rev);

	/**
	 * @revoke_first:
	 *
	 * In place of @revoke, for an entry that is revoked before all entries without this step,
	 * because others, such as importers, use the memory that it owns. An entry without a
	 * reference is used no more, and never gets a reference again. drm_dev_ctx_revoke_first()
	 * revokes these entries even earlier.
	 *
	 * Waits for the others no longer than @timeout, in jiffies, or for as long as it takes if
	 * that is MAX_SCHEDULE_TIMEOUT. Returns the rest of @timeout, or 0 if others still use the
	 * entry, which then stays on the list and is revoked again later.
	 */
	long (*revoke_first)(struct drm_dev_ctx_revocable *rev, long timeout);

	/**
	 * @put:
	 *
	 * With @revoke_first, puts the reference of @get after that step, which does not put it.
	 */
	void (*put)(struct drm_dev_ctx_revocable *rev);

	/**
	 * @report:
	 *
	 * With @revoke_first, logs the reason for a long wait in that step. Called under a
	 * spinlock, while @revoke_first runs in another task, or has returned 0.
	 */
	void (*report)(struct drm_dev_ctx_revocable *rev);
};

/**
 * struct drm_dev_ctx_revocable - something that must not outlive the binding
 *
 * Other parts of the library embed this structure in the structures of their mappings for the
 * parent of a device. When the parent is unbound, one devres action revokes all entries of
 * the device, after another devres action has ended the registration.
 *
 * Invariants:
 *
 * - An entry is on the device's list from drm_dev_ctx_revocable_add() until
 *   drm_dev_ctx_revocable_take() or &drm_dev_ctx_revocable_ops.get returns true. Exactly
 *   one of them does.
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
	 * Starts the code if the driver asked for a start while the turn was held back.
	 * Called under a raw spinlock with interrupts off.
	 */
	void (*start)(struct drm_dev_ctx_async *async);

	/**
	 * @end:
	 *
	 * Waits until the code no longer runs, and makes sure that it does not run again.
	 * May sleep. Called once, by the task that took @async off the list.
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
	 * Optional. Returns whether the driver's function is running. Called in the same
	 * context as @start.
	 */
	bool (*runs)(struct drm_dev_ctx_async *async);

	/**
	 * @is_current:
	 *
	 * Optional. Returns whether the current task runs the driver's function. Called in
	 * the same context as @start.
	 */
	bool (*is_current)(struct drm_dev_ctx_async *async);
};

/* The asynchronous code of a registration, in the order in which it is ended */
enum drm_dev_ctx_turn {
	/* Code that needs a registration ends after the unplug. */
	DRM_DEV_CTX_REG_WORK,
	DRM_DEV_CTX_REG_TIMER,
	/*
	 * Code that needs a live device ends after quiesce. Code that waits comes first, and
	 * code that ends waits comes last.
	 */
	DRM_DEV_CTX_LIVE_WORK,
	DRM_DEV_CTX_LIVE_TIMER,
	DRM_DEV_CTX_LIVE_IRQ,
	DRM_DEV_CTX_TURNS,
};

/* Whether the code of a turn may run: it is held back, may run, or has been ended. */
enum drm_dev_ctx_phase {
	DRM_DEV_CTX_HELD,
	DRM_DEV_CTX_OPEN,
	DRM_DEV_CTX_OVER,
};

/**
 * struct drm_dev_ctx_async - asynchronous code that belongs to a registration
 *
 * The work items, timers and interrupts of drm_dev_ctx_async.h embed it.
 *
 * Invariants:
 *
 * - It is on a list of its device from drm_dev_ctx_async_add() until
 *   drm_dev_ctx_async_take(), or until the device ends it. @__ending is set while the
 *   device ends it. Both are protected by &drm_dev_ctx.__async_lock.
 * - @__ctx is set from drm_dev_ctx_async_add() on. The device outlives the code.
 * - @__ended is set from the end that the driver asked for until the next
 *   drm_dev_ctx_async_add(). Code that has ended cannot be started, so an unlocked read of
 *   @__ended that comes too early does no harm.
 */
struct drm_dev_ctx_async {
	/* private: */
	struct list_head __node;
	struct drm_dev_ctx *__ctx;
	const struct drm_dev_ctx_async_ops *__ops;
	enum drm_dev_ctx_turn __turn;
	bool __ending;
	bool __ended;
};

/* Added to the count of blocks while no block may be entered */
#define DRM_DEV_CTX_CLOSED	INT_MIN

/* The number of refused places that a report names */
#define __DRM_DEV_CTX_REFUSED_MAX	4

enum drm_dev_ctx_state {
	DRM_DEV_CTX_UNREGISTERED,
	DRM_DEV_CTX_DROPPED,
	DRM_DEV_CTX_REGISTERED,
	DRM_DEV_CTX_ENDED,
};

/*
 * The steps of the end of a registration, in this order. Each one may take long. The last one is
 * a step of unbinding.
 */
enum drm_dev_ctx_step {
	DRM_DEV_CTX_STEP_STOP,
	DRM_DEV_CTX_STEP_SECTIONS,
	DRM_DEV_CTX_STEP_KMS_SHUTDOWN,
	DRM_DEV_CTX_STEP_QUIESCE,
	DRM_DEV_CTX_STEP_REFUSED,
	DRM_DEV_CTX_STEP_BLOCKS,
	DRM_DEV_CTX_STEP_ASYNC,
	DRM_DEV_CTX_STEP_TABLES,
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
 * - While @__dev is bound, its devres action holds a reference to @drm. The library defines "the
 *   parent is bound" by this. Usually @__dev is the parent of @drm. If the driver stated two
 *   devices, a device link makes @__dev a consumer of the parent, so @__dev is unbound first.
 *   The same holds for the DMA device of @drm once @__dma_dev is set. @__dev is not accessed
 *   once it is unbound.
 * - @__state goes from unregistered to dropped or registered, and from registered to ended. It
 *   changes under @__lock.
 * - @__ops and @__data are set from drm_dev_ctx_attach() or the beginning of a registration
 *   until the data is released. They are accessed under @__lock, or with a proof that the
 *   device is live. A change of @__data also takes the lock of the list of devices, which keeps
 *   two devices from having the same data.
 * - drm_dev_ctx_attach() sets @__attached, under @__lock. An unregistered device with
 *   @__attached set owns the data. If that function fails, it sets @__lost, also under @__lock,
 *   and the device accepts no other data.
 * - @__waits is woken after @__state became dropped or ended, and after @__lost was set.
 *   drm_dev_ctx_wait_event() adds the task to @__waits before it reads @__state and @__lost.
 * - @__registered is set after @__ops and @__data, just before drm_dev_register(), because the
 *   minors are live before that function returns. It stays set: a device whose registration
 *   has ended is unplugged. The value is the address of this structure. A &struct drm_device
 *   that is not part of a &struct drm_dev_ctx is followed by other memory, which does not hold that
 *   address there. If &struct drm_device has a member for the contexts, that memory is not read.
 * - @__busy is the task that holds @__lock, or the worker in which that task runs
 *   kms_shutdown.
 * - @__lock and @__shutdown have lockdep classes of their own (@__key, @__shutdown_key),
 *   because the callbacks of one device can end the registration of another one, of the
 *   same driver or not.
 * - @__dma_dev is NULL until the first sg table is mapped, the first coherent memory is
 *   allocated, or @drm is registered, whichever comes first. Then it is set once to the DMA
 *   device of @drm, with a reference, after @__dev became a consumer of that device. Nothing is
 *   mapped for any other DMA device, because the driver core might unbind that one before @__dev.
 * - @__dma_had_driver is set together with @__dma_dev. If @__dma_dev has lost its driver since,
 *   @drm is not registered, because its mappings were made for a device that was bound.
 * - @__dma_limited and @__dma_max_segment say what @__dma_dev can reach. They are set before
 *   @__registered, and constant.
 * - @__type names the struct that @drm was allocated in, and @__reg_type the proof of the
 *   first section. The strings belong to the driver's module. They are only read when its
 *   callbacks run, so it is still loaded then.
 * - @__bound_users counts the blocks of drm_dev_ctx_guard_live() and
 *   drm_dev_ctx_guard_callback() that were entered without a section. The count is non-negative
 *   from drm_dev_ctx_attach() or the beginning of a registration until quiesce has returned. At
 *   all other times DRM_DEV_CTX_CLOSED makes it negative, and no block can be entered. @__data is
 *   not released before all blocks have been left: leaving the last block after the count became
 *   negative completes @__bound_left.
 * - @__async, @__phase and @__async_now are protected by @__async_lock. @__phase is also read
 *   without it, because it only goes from held to open to over. The data is published before
 *   live code runs, and the device is registered before any code that needs a registration runs.
 * - @__async_now is the code that the holder of @__lock is ending. @__async_ended is woken when
 *   that code has ended.
 * - @__step is the step that the holder of @__lock, or the revoking task @__revokes, takes now.
 *   It is valid while @__stuck is scheduled and the device is not unregistered. Reports name it,
 *   and exports end in quiesce alone. It is DRM_DEV_CTX_STEP_QUIESCE only while quiesce runs and
 *   the device will not be registered again. It is DRM_DEV_CTX_STEP_REFUSED only while quiesce
 *   runs for data that the device refused, because it has other data.
 * - @__watched says that @__stuck may be scheduled or run. The task that allocates the device
 *   sets it, then tasks that hold @__lock change it, and in the end the task that revokes.
 * - @__refused lists the code addresses that were refused a section while the device was
 *   unregistered, or since unplugging began. Each address is listed once, and zeroes follow the
 *   last one. During that time addresses are only added.
 * - @__revocables, @__revoking, @__ends, @__first_over and @__unbound are protected by
 *   @__revocables_lock. @__unbound is set before an entry is revoked that does not come first, and
 *   no entry is added after that. @__first_over is set before one is revoked that comes first, and
 *   no entry that comes first is added after that.
 * - @__first_kept says that the wait for users of entries that come first ended without them, as
 *   the system goes down. It is protected by @__revocables_lock, too.
 * - @__goes_down is set, under @__lock, before a registration ends because the system goes down.
 * - @__revoking is an entry that comes first, while it is revoked. It has a reference until then.
 *   @__ended is woken when it has been revoked.
 * - @__ends counts the successful calls of drm_dev_ctx_revocable_take() and
 *   drm_dev_ctx_revocable_hold() that drm_dev_ctx_revocable_done() has not ended yet. No hold
 *   begins after @__unbound was set. @__ended is woken when the count changes after @__unbound
 *   was set, and when an entry has a reference again.
 * - The parent is bound, and @drm is held, until @__unbound is set, @__revocables is
 *   empty and @__ends is zero.
 */
struct drm_dev_ctx {
	struct drm_device drm;
	/* private: */
	struct drm_dev_ctx_data *__data;
	struct drm_dev_ctx *__registered;
	const struct drm_dev_ctx_ops *__ops;
	bool __attached;
	bool __lost;	/* @__data, because drm_dev_ctx_attach() failed */
	bool __goes_down;
	struct device *__dev;
	struct device *__dma_dev;
	unsigned int __dma_max_segment;
	bool __dma_limited;
	bool __dma_had_driver;	/* @__dma_dev had one when it was set, and is not @__dev */
	bool __in_probe;	/* @__dev was not bound when the device was allocated */
	struct drm_dev_ctx_unreg __unreg;
	struct drm_dev_ctx_live __live;
	const char *__type;
	const struct drm_driver *__driver;	/* never read, only compared */
	u32 __type_hash;
	struct list_head __known;	/* in the list of all devices */

	struct mutex __lock;	/* @__state, and the callbacks of the registration */
	struct lock_class_key __key;
	struct task_struct *__busy;
	struct work_struct __shutdown;
	struct lock_class_key __shutdown_key;
	enum drm_dev_ctx_state __state;
	wait_queue_head_t __waits;	/* inside sections and blocks */

	atomic_t __bound_users;
	struct completion __bound_left;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map __bound_map;	/* Release waits for @__bound_users. */
#endif

	raw_spinlock_t __async_lock;	/* The three that follow, in interrupts, too */
	struct list_head __async[DRM_DEV_CTX_TURNS] __guarded_by(&__async_lock);
	struct drm_dev_ctx_async *__async_now __guarded_by(&__async_lock);
	enum drm_dev_ctx_phase __phase[DRM_DEV_CTX_TURNS];
	wait_queue_head_t __async_ended;

	spinlock_t __revocables_lock;	/* The six that follow */
	struct list_head __revocables __guarded_by(&__revocables_lock);
	struct drm_dev_ctx_revocable *__revoking __guarded_by(&__revocables_lock);
	unsigned int __ends __guarded_by(&__revocables_lock);
	bool __first_over __guarded_by(&__revocables_lock);
	bool __first_kept __guarded_by(&__revocables_lock);
	bool __unbound __guarded_by(&__revocables_lock);
	wait_queue_head_t __ended;
#ifdef CONFIG_LOCKDEP
	struct lockdep_map __ends_map;	/* Unbinding waits for @__ends. */
#endif
	/* Reports a probe, or the end of a registration or a binding, that takes long. */
	struct delayed_work __stuck;
	/* Calls stop if drm_dev_register() fails and waits for sections. */
	struct delayed_work __late_stop;
	enum drm_dev_ctx_step __step;
	unsigned int __stuck_ms;
	bool __watched;
	struct task_struct *__revokes;
	unsigned long __refused[__DRM_DEV_CTX_REFUSED_MAX];
	/*
	 * Opaque here: the only struct drm_shmem_ends of the device, set once, or NULL. Objects
	 * have no pointer to it. A table outside of the contexts would need an update whenever a
	 * device is freed.
	 */
	struct drm_shmem_ends *__shmem_ends;
#ifdef CONFIG_DRM_SAFE_DEBUG
	const char *__reg_type;
	struct ref_tracker_dir __handles;
#endif
};

/**
 * struct drm_dev_ctx_handle - something that should be gone before its device is
 *
 * The handles of other parts of the library embed this. With CONFIG_DRM_SAFE_DEBUG it
 * records the stack of the task that made the handle, for debugfs and for the report of a
 * device that is released first. Without that option it takes no space.
 */
struct drm_dev_ctx_handle {
#ifdef CONFIG_DRM_SAFE_DEBUG
	/* private: */
	struct ref_tracker *__tracker;
#endif
};

/* How a section was entered; 0 if it was not. */
enum __drm_dev_ctx_how {
	__DRM_DEV_CTX_OPEN = 1,
	/* With __drm_dev_ctx_bound_enter() instead, see drm_dev_ctx_guard_live() */
	__DRM_DEV_CTX_BOUND,
};

/*
 * The unplug section of a scope. No pointer to this struct is taken before its proof exists,
 * so the compiler knows the value of @how everywhere and emits no test. The index is a
 * separate variable because drm_dev_enter() takes its address: a copy in this struct would
 * occupy a register for the whole scope.
 */
struct drm_dev_ctx_section {
	struct drm_dev_ctx *ctx;
	int *idx;
	/*
	 * Of enum __drm_dev_ctx_how. Not shorter: gcc copies a struct with padding through the
	 * stack on arm64.
	 */
	unsigned long how;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct list_head node;
	struct task_struct *task;
	unsigned long where;
#endif
};

#ifdef drm_device_ctx
static __always_inline bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx)
{
	/* Unlocked: constant from drm_dev_ctx_alloc() on, or NULL in a foreign device. */
	return READ_ONCE(ctx->drm.ctx) != ctx;
}
#elif defined(CONFIG_DRM_SAFE_DEBUG)
bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx) __drm_nonallocating;
#else
/* Without the core's member for it, only CONFIG_DRM_SAFE_DEBUG affords to look this up. */
static __always_inline bool __drm_dev_ctx_is_foreign(const struct drm_dev_ctx *ctx)
{
	return false;
}
#endif

#ifdef CONFIG_DRM_SAFE_DEBUG
void __drm_dev_ctx_section_track(struct drm_dev_ctx_section *s, const char *type);
void __drm_dev_ctx_section_untrack(struct drm_dev_ctx_section *s);
#else
static __always_inline void __drm_dev_ctx_section_track(struct drm_dev_ctx_section *s,
							const char *type) {}
static __always_inline void __drm_dev_ctx_section_untrack(struct drm_dev_ctx_section *s) {}
#endif

/**
 * to_drm_dev_ctx() - the contexts of a DRM device
 * @drm: a device that drm_dev_ctx_alloc() or drm_dev_ctx_alloc_parent() made
 *
 * For functions that get a &struct drm_device from DRM and need a section or a block.
 * Sections, blocks and the entry points of ioctls refuse and report any other device.
 *
 * Context: Any.
 *
 * Return: the contexts, which exist as long as @drm.
 */
static __always_inline struct drm_dev_ctx *to_drm_dev_ctx(struct drm_device *drm)
{
	return container_of(drm, struct drm_dev_ctx, drm);
}

/*
 * The arguments of an allocation. @owner and @modname name the calling module, and the
 * driver that is binding @dev must be in that module. If @stated is set, because the caller
 * stated the parent, the driver may be in another module. If @dev is also the parent in that
 * case, it may have been bound before. @type is the name of the driver's struct.
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
void __drm_dev_ctx_remove(struct device *dev) __must_not_hold(drm_dev_section);
void drm_dev_ctx_shutdown(struct device *dev) __must_not_hold(drm_dev_section);
void __cold __drm_dev_ctx_refused(struct drm_dev_ctx *ctx) __drm_nonallocating;
bool __drm_dev_ctx_bound_enter(struct drm_dev_ctx *ctx);
void __drm_dev_ctx_bound_leave(struct drm_dev_ctx *ctx);

/* Never defined. The build fails if the compiler cannot remove a call to this. */
void __compiletime_error("a proof is needed here, such as &reg->base.bound, and NULL is none")
__drm_dev_ctx_no_proof(void)
	__drm_nonallocating;

/* Returns its argument. The build fails if the compiler knows that this is NULL. */
static __always_inline const struct drm_dev_ctx_bound *
__drm_dev_ctx_proven(const struct drm_dev_ctx_bound *bound)
{
	const bool none = !bound;

	if (__builtin_constant_p(none) && none)
		__drm_dev_ctx_no_proof();
	return bound;
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
	return &__drm_dev_ctx_proven(bound)->__ctx->drm;
}

/**
 * drm_dev_ctx_bound_parent() - the parent of a DRM device
 * @bound: the proof that it is bound
 *
 * The parent names the DRM device, and does DMA for it unless drm_dev_set_dma_dev() set
 * another one: use drm_dev_dma_dev() for DMA. The DMA device, too, is unbound after the
 * device to which the DRM device belongs. The parent is the same as
 * drm_dev_ctx_bound_device(), unless the DRM device was allocated with
 * drm_dev_ctx_alloc_parent().
 *
 * Context: Any.
 *
 * Return: the parent, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_ctx_bound_parent(const struct drm_dev_ctx_bound *bound)
{
	return __drm_dev_ctx_proven(bound)->__ctx->drm.dev;
}

/**
 * drm_dev_ctx_bound_device() - the bound device to which a DRM device belongs
 * @bound: the proof that it is bound
 *
 * This is the device for which the driver's probe function was called. The driver's
 * managed allocations and driver data belong to it. See also drm_dev_ctx_bound_parent().
 *
 * Context: Any.
 *
 * Return: the device, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_ctx_bound_device(const struct drm_dev_ctx_bound *bound)
{
	return __drm_dev_ctx_proven(bound)->__ctx->__dev;
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
 * drm_dev_ctx_reg_data() - get the registration data
 * @reg: proof that the device is registered
 *
 * Context: Any.
 *
 * Return: the data from drm_dev_ctx_attach() or drm_dev_ctx_register(), for the scope of @reg.
 */
static __always_inline struct drm_dev_ctx_data *
drm_dev_ctx_reg_data(const struct drm_dev_ctx_reg *reg)
{
	return __drm_dev_ctx_proven(&reg->bound)->__ctx->__data;
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
	return container_of_const(__drm_dev_ctx_proven(&reg->bound), struct drm_dev_ctx_live,
				  bound);
}

/**
 * drm_dev_ctx_reg_ending() - whether the registration is about to end
 * @reg: the proof
 *
 * For the condition of a wait inside a section. The result becomes true before the library
 * calls &drm_dev_ctx_ops.stop, which wakes up the wait. drm_dev_ctx_wait_event() includes this
 * condition, and needs no wake-up from stop.
 *
 * Context: Any.
 *
 * Return: whether the end of the registration has begun, which waits for this section.
 */
static __always_inline bool drm_dev_ctx_reg_ending(const struct drm_dev_ctx_reg *reg)
{
	return READ_ONCE(__drm_dev_ctx_proven(&reg->bound)->__ctx->__state) == DRM_DEV_CTX_ENDED;
}

/**
 * drm_dev_ctx_live_ending() - whether the registration is about to end, or is ending
 * @live: the proof
 *
 * For the condition of a wait, like drm_dev_ctx_reg_ending(). The result stays true in
 * kms_shutdown and quiesce. The library calls no stop for a device that was not registered, so
 * code in a block waits with drm_dev_ctx_wait_event(), or with a time limit.
 *
 * Context: Any.
 *
 * Return: whether the end of the registration has begun, or the device or its data was given up.
 */
static __always_inline bool drm_dev_ctx_live_ending(const struct drm_dev_ctx_live *live)
{
	const struct drm_dev_ctx *ctx = __drm_dev_ctx_proven(&live->bound)->__ctx;
	const enum drm_dev_ctx_state state = READ_ONCE(ctx->__state);

	return state == DRM_DEV_CTX_ENDED || state == DRM_DEV_CTX_DROPPED ||
	       READ_ONCE(ctx->__lost);
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
 * Return: the data from drm_dev_ctx_attach() or drm_dev_ctx_register(), for the scope
 * of @live.
 */
static __always_inline struct drm_dev_ctx_data *
drm_dev_ctx_live_data(const struct drm_dev_ctx_live *live)
{
	return __drm_dev_ctx_proven(&live->bound)->__ctx->__data;
}

/**
 * drm_dev_ctx_wait_event() - wait in a section or a block without blocking its device's unplug
 * @_proof: a pointer to a &struct drm_dev_ctx_reg or a &struct drm_dev_ctx_live
 * @_wq_head: the ``struct wait_queue_head``, which is woken up when @_condition changes
 * @_condition: the condition to wait for; not evaluated again once it was true
 * @_timeout: for how long, in jiffies; MAX_SCHEDULE_TIMEOUT for as long as it takes
 *
 * The end of the registration waits for the section or the block. So the wait also ends when the
 * registration begins to end, when the device is given up, and when the task is killed. The
 * library wakes up the task in the first two cases. The unplug of any other device also waits for
 * this section, but does not end the wait: choose @_timeout with that in mind.
 *
 * Context: May sleep.
 *
 * Return: 0 if @_condition was true; -ENODEV if drm_dev_ctx_live_ending() is; -ETIMEDOUT; or
 * -EINTR if the task was killed.
 */
#define drm_dev_ctx_wait_event(_proof, _wq_head, _condition, _timeout) ({	\
	const struct drm_dev_ctx_live *__waits =				\
		_Generic((_proof),						\
			 const struct drm_dev_ctx_reg *:			\
				drm_dev_ctx_reg_live((const void *)(_proof)),	\
			 const struct drm_dev_ctx_live *: (const void *)(_proof)); \
	struct wait_queue_entry __entry;					\
	bool __met = false;							\
	long __left;								\
										\
	__drm_dev_ctx_wait_begin(__waits, &__entry);				\
	__left = wait_event_killable_timeout(_wq_head,				\
		(__met = (_condition)) || drm_dev_ctx_live_ending(__waits), _timeout); \
	__drm_dev_ctx_wait_end(__waits, &__entry);				\
	__drm_dev_ctx_wait_result(__met, __left);				\
})

/*
 * From here until __drm_dev_ctx_wait_end(), the end of the registration also wakes up the task:
 * see ctx-wait.litmus.
 */
static inline void __drm_dev_ctx_wait_begin(const struct drm_dev_ctx_live *live,
					    struct wait_queue_entry *entry)
{
	init_waitqueue_entry(entry, current);
	add_wait_queue(&live->bound.__ctx->__waits, entry);
}

static inline void __drm_dev_ctx_wait_end(const struct drm_dev_ctx_live *live,
					  struct wait_queue_entry *entry)
{
	remove_wait_queue(&live->bound.__ctx->__waits, entry);
}

/* Derives why a wait ended from the return value of wait_event_killable_timeout(). */
static inline int __drm_dev_ctx_wait_result(bool met, long left)
{
	if (met)
		return 0;
	if (left < 0)
		return -EINTR;
	return left ? -ENODEV : -ETIMEDOUT;
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
	return (struct drm_dev_ctx_ioctl *)__drm_dev_ctx_proven(&reg->bound)->__ctx;
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
	return &((struct drm_dev_ctx *)drm_safe_live(ioctl))->drm;
}

/**
 * drm_dev_ctx_data_drm() - the DRM device that registration data belongs to
 * @data: the data
 *
 * Context: Any.
 *
 * Return: the device, borrowed from the registration; NULL before the first one begins, if @data
 * was zeroed.
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
 * Like container_of(). With CONFIG_DRM_SAFE_DEBUG, this reports a device that was allocated as
 * another struct, which means that the driver used the wrong &struct drm_driver for it.
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
 * Without an owner, the module can be unloaded while files are open. If the compiler sees the
 * content of the struct drm_driver, the build fails. Otherwise the allocation fails.
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
 * Return:
 * * the token, a ``struct drm_dev_ctx_unreg *``; or an ERR_PTR():
 * * -EINVAL - @_dev is not being bound to a driver of this module, another module owns the file
 *   operations, or @_driver has a device in another struct; each is reported
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
 * A device link makes the driver core unbind @_dev before @_parent. If the probe function fails,
 * the link may end before devres runs: see drm_dev_ctx_remove().
 *
 * Context: May sleep. From the probe function of the driver of @_dev.
 *
 * Return: as drm_dev_ctx_alloc(). Further errors, each with a line in the log:
 *
 * * -EINVAL - the driver core refuses a device link, for example because @_parent depends on @_dev
 * * -ENODEV - @_parent is being unbound
 * * -EPROBE_DEFER - another task probes @_parent; or its probe function has just failed; or a
 *   device link exists already but has no effect yet
 */
#define drm_dev_ctx_alloc_parent(_dev, _parent, _driver, _type, _member)	\
	___drm_dev_ctx_alloc(_dev, _parent, true, _driver, _type, _member)

/*
 * Means "no section is open in this scope". The macros below hide it with a declaration
 * of the same name and another type.
 */
enum { __drm_dev_ctx_in_section };

#define __drm_dev_ctx_assert_no_section()					\
	static_assert(__same_type(__drm_dev_ctx_in_section, int),		\
		      "inside of a section that needs a registration, this waits for itself")

#define __drm_dev_ctx_assert_outside()						\
	static_assert(__same_type(__drm_dev_ctx_in_section, int),		\
		      "inside of a section, this holds up each unplug: call it before")

#define __drm_dev_ctx_assert_quiesce()						\
	static_assert(__same_type(__drm_dev_ctx_in_section, int),		\
		      "inside of a section, the hardware is still in use: call it in quiesce")

/**
 * drm_dev_ctx_attach() - give a device its registration data before it is registered
 * @unreg: the token
 * @ops: how the registration ends, or NULL
 * @data: registration data, owned by the device from here on
 *
 * For hardware that has to answer before the device can be registered. From here on, blocks
 * of drm_dev_ctx_guard_live() run, and the driver can request interrupts. Call this at most
 * once for a device, and drop the token if it fails. The library quiesces and releases the
 * data, in this order, when the registration ends or fails, when the token is dropped, or when
 * its device is unbound.
 *
 * Context: May sleep. From the probe function of the driver of the device.
 *
 * Return: the proof, borrowed from the token; or an ERR_PTR(): -EINVAL, with a report, if the
 * device has or had registration data, or if another device has @data; or -ENOMEM. On error,
 * @data has been quiesced and released, unless it belongs to a device, which ends it later. The
 * library reports an @unreg that is NULL or an ERR_PTR(), and only releases @data.
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
 * @unreg: address of the variable that holds the token; the variable is always NULL
 *	afterwards
 * @ops: how the registration ends, or NULL
 * @data: registration data, owned by the registration from here on; if it is NULL, the
 *	callbacks of @ops get NULL. After drm_dev_ctx_attach(), pass the same @ops and @data as
 *	there, or NULL for both
 *
 * Publishes the registration data and then the device. The registration ends when @dev is unbound,
 * or with drm_dev_ctx_unregister(). If drm_dev_set_dma_dev() was called, a device link makes the
 * driver core unbind @dev before that DMA device. The link exists from the first sg table or
 * coherent memory on, and from this call on at the latest. If the probe function fails, the link
 * may end before devres runs: see drm_dev_ctx_remove(). The driver must not call
 * drm_dev_set_dma_dev() afterwards. The library reports such a change when it next has to map an
 * sg table, and maps none.
 *
 * Does not compile in the scope of drm_dev_ctx_guard() or drm_dev_ctx_or().
 *
 * Context: May sleep. From the probe function of the driver of @dev.
 *
 * Return: 0 or a negative error code. On error, the registration data has been quiesced and
 * released, in this order, and userspace cannot find the device. If userspace could find the
 * device for a moment, kms_shutdown ran first. The library reports a token that is NULL or an
 * ERR_PTR(), or that is used after @dev was unbound. No proof exists for quiesce in that case, so
 * the data has only been released. The library also reports data that another device has, and
 * leaves it alone, because the other device ends it.
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
 * A token that is declared with ``__free(drm_dev_ctx_unreg)`` is dropped at the end of its scope.
 * The device keeps its resources until the parent is unbound or its probe function has failed, as
 * with devm_drm_dev_alloc(). The error path of a probe function can call drm_dev_ctx_remove()
 * after this, see there.
 *
 * Context: May sleep.
 */
static __always_inline void drm_dev_ctx_drop(struct drm_dev_ctx_unreg **unreg)
	__releases(*unreg) __no_context_analysis
{
	__drm_dev_ctx_drop(drm_safe_take(*unreg));
}

/* DEFINE_FREE() would take the address of a variable of any type. */
static __always_inline void __free_drm_dev_ctx_unreg(struct drm_dev_ctx_unreg **unreg)
{
	if (!IS_ERR_OR_NULL(*unreg))
		__drm_dev_ctx_drop(*unreg);
}

/**
 * drm_dev_ctx_unregister() - end a registration before the parent is unbound
 * @ctx: the device; the caller holds a reference, or the parent is bound
 *
 * Ends the waits inside sections, unplugs the device, waits for all sections that need the
 * registration, shuts down the display, quiesces the hardware and releases the registration
 * data. If another thread is doing so already, this waits for that thread. Does not compile in
 * the scope of drm_dev_ctx_guard() or drm_dev_ctx_or() of any device: DRM waits for the sections
 * of all devices, so the call would wait for itself.
 *
 * Context: May sleep. Not from a section that needs a registration, nor from a
 * callback of &struct drm_dev_ctx_ops, nor from a handler of drm_dev_ctx_async.h.
 *
 * Return:
 * * 0 - the registration ended here
 * * -ENODEV - the device has no registration: it ended before, or never began
 * * -EDEADLK - the call would wait for itself, which is reported; nothing was done
 * * -EINVAL - drm_dev_ctx_alloc() did not make the device, which is reported
 */
static __always_inline int drm_dev_ctx_unregister(struct drm_dev_ctx *ctx)
	__must_not_hold(drm_dev_section)
{
	return __drm_dev_ctx_unregister(ctx);
}

#define drm_dev_ctx_unregister(_ctx)						\
	drm_dev_ctx_unregister(({ __drm_dev_ctx_assert_no_section(); (_ctx); }))

/**
 * drm_dev_ctx_remove() - end the DRM devices of a device before it is unbound
 * @dev: the device that drm_dev_ctx_alloc() was given
 *
 * For a remove function, which needs no pointer but @dev, and for the unbind function of a
 * component, after which @dev stays bound. Ends each registration on @dev as
 * drm_dev_ctx_unregister() does, revokes the sg tables, and drops the reference that the
 * binding holds: the memory of a DRM device is freed with its last reference, which need
 * not wait until @dev is unbound. Another DRM device can be allocated to @dev afterwards. A
 * DRM device whose token is not used up yet stays. Does nothing if there is nothing left.
 *
 * Also for the error path of a probe function that has mapped something for a parent or a DMA
 * device other than @dev. The token was dropped before, or the registration failed. A driver core
 * that ends the device links of a failed probe before it runs devres lets the parent or DMA device
 * be unbound in between, unless @dev is deleted with it. This call unmaps before.
 *
 * Does not compile in the scope of drm_dev_ctx_guard() or drm_dev_ctx_or().
 *
 * Context: May sleep. Not from a section that needs a registration, nor from a
 * callback of &struct drm_dev_ctx_ops, nor from a handler of drm_dev_ctx_async.h: that is
 * reported, and the device stays as it is.
 */
static __always_inline void drm_dev_ctx_remove(struct device *dev)
	__must_not_hold(drm_dev_section)
{
	__drm_dev_ctx_remove(dev);
}

#define drm_dev_ctx_remove(_dev)						\
	drm_dev_ctx_remove(({ __drm_dev_ctx_assert_no_section(); (_dev); }))

/*
 * @registered is true for ioctls: an ioctl runs on a device that has been registered, which
 * __drm_dev_ctx_ioctl_of() has checked. DRM publishes minors and looks them up under a
 * lock, and this lock also orders the registration data.
 */
static __always_inline struct drm_dev_ctx_section
__drm_dev_ctx_try_enter(int *idx, struct drm_dev_ctx *ctx, bool registered)
	__no_context_analysis
{
	struct drm_dev_ctx_section s = { .ctx = ctx, .idx = idx };

	/* If this is known, the memory behind a foreign device is not read. */
	if (unlikely(__drm_dev_ctx_is_foreign(ctx)))
		return s;
	if (unlikely(!drm_dev_enter(&ctx->drm, idx)))
		return s;
	/*
	 * drm_dev_enter() also succeeds on a device that was never registered, and on a
	 * foreign one.
	 * Acquire: pairs with the release in drm_dev_ctx_go_live(), see
	 * ctx-registered.litmus. The acquire also makes the registration data of a
	 * registered device visible. The data stays until the section is left: see
	 * ctx-section.litmus. So do tables: see sgt-section.litmus.
	 */
	if (unlikely(!registered && smp_load_acquire(&ctx->__registered) != ctx)) {
		drm_dev_exit(*idx);
		return s;
	}
	s.how = __DRM_DEV_CTX_OPEN;
	return s;
}

/*
 * The classes that scoped_guard() uses. DEFINE_CLASS() would hide the functions from tags.
 * The constructors acquire on every path, for clang's context analysis, because the
 * destructor runs on every path.
 */
typedef struct drm_dev_ctx_section class_drm_dev_ctx_section_t;
typedef struct drm_dev_ctx_section class_drm_dev_ctx_section_live_t;
typedef struct drm_dev_ctx_section class_drm_dev_ctx_section_callback_t;

static __always_inline struct drm_dev_ctx_section
class_drm_dev_ctx_section_constructor(int *idx, struct drm_dev_ctx *ctx, bool registered)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	struct drm_dev_ctx_section s = __drm_dev_ctx_try_enter(idx, ctx, registered);

	if (unlikely(!s.how))
		__drm_dev_ctx_refused(ctx);
	return s;
}

/* Enters if the device is registered, or is being unregistered and not quiesced yet. */
static __always_inline struct drm_dev_ctx_section
class_drm_dev_ctx_section_live_constructor(int *idx, struct drm_dev_ctx *ctx)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	struct drm_dev_ctx_section s = __drm_dev_ctx_try_enter(idx, ctx, false);

	if (unlikely(!s.how) && __drm_dev_ctx_bound_enter(ctx))
		s.how = __DRM_DEV_CTX_BOUND;
	return s;
}

/* Enters if there is registration data, registered or not. Opens no section. */
static __always_inline struct drm_dev_ctx_section
class_drm_dev_ctx_section_callback_constructor(struct drm_dev_ctx *ctx)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	return (struct drm_dev_ctx_section) {
		.ctx = ctx,
		.how = __drm_dev_ctx_bound_enter(ctx) ? __DRM_DEV_CTX_BOUND : 0,
	};
}

static __always_inline void
class_drm_dev_ctx_section_destructor(struct drm_dev_ctx_section *s)
	__releases_shared(drm_dev_section) __no_context_analysis
{
	if (!s->how)
		return;
	__drm_dev_ctx_section_untrack(s);
	if (s->how == __DRM_DEV_CTX_BOUND)
		__drm_dev_ctx_bound_leave(s->ctx);
	else
		drm_dev_exit(*s->idx);
}

static __always_inline void *
class_drm_dev_ctx_section_lock_ptr(struct drm_dev_ctx_section *s)
{
	return s->how ? s : NULL;
}

#define class_drm_dev_ctx_section_is_conditional	true
#define class_drm_dev_ctx_section_live_destructor	class_drm_dev_ctx_section_destructor
#define class_drm_dev_ctx_section_live_lock_ptr	class_drm_dev_ctx_section_lock_ptr
#define class_drm_dev_ctx_section_live_is_conditional	true
#define class_drm_dev_ctx_section_callback_destructor	class_drm_dev_ctx_section_destructor
#define class_drm_dev_ctx_section_callback_lock_ptr	class_drm_dev_ctx_section_lock_ptr
#define class_drm_dev_ctx_section_callback_is_conditional	true

/* Turns @_from, a device or an ioctl's context, into two arguments: device, and "registered" */
#define __drm_dev_ctx_from(_from)						\
	_Generic((_from), struct drm_dev_ctx *: (_from),			\
		 struct drm_dev_ctx_ioctl *: (struct drm_dev_ctx *)(void *)(_from)), \
	_Generic((_from), struct drm_dev_ctx *: false, struct drm_dev_ctx_ioctl *: true)

/*
 * Tracks the section here, because the constructor of the class returns a copy, whose address
 * would differ. @type names the proof's type.
 */
static __always_inline struct drm_dev_ctx *
__drm_dev_ctx_section_ctx(struct drm_dev_ctx_section *s, const char *type)
{
	if (s->how)
		__drm_dev_ctx_section_track(s, type);
	return s->ctx;
}

/*
 * Like scoped_cond_guard(), but the statement for a refused entry comes last, and may contain
 * commas. @_args are the arguments of the constructor, in parentheses.
 */
#define __drm_dev_ctx_scoped_else(_name, _label, _args, ...)			\
	for (CLASS(_name, scope)_args; true; ({ goto _label; }))		\
		if (!__guard_ptr(_name)(&scope)) {				\
			__VA_ARGS__;						\
_label:										\
			break;							\
		} else

/* Declares an int for the section of the block that follows, and runs the block once. */
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
 * The block is skipped unless the device is registered and not unplugged. The device stays so
 * until the block is left, on any path. The block is a loop that runs at most once: break
 * leaves it.
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
 * Like drm_dev_ctx_guard().
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
 * Like drm_dev_ctx_guard(), but any task can enter the block from drm_dev_ctx_attach() on, before
 * registration, and until quiesce has returned. While the registration ends, the device is
 * already unplugged, but the hardware is still there. Use this in functions that
 * drm_atomic_helper_shutdown() calls or waits for, such as &drm_crtc_helper_funcs.atomic_disable
 * and the worker of a nonblocking commit, and in other work that quiesce flushes. The registration
 * data is not released before the block is left.
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
 * Like drm_dev_ctx_guard_live().
 *
 * Context: Any but NMI. The block must not wait for the end of the registration.
 */
#define drm_dev_ctx_guard_live_else(_live, _ctx, ...)				\
	__drm_dev_ctx_idx()							\
		__drm_dev_ctx_scoped_else(drm_dev_ctx_section_live, __UNIQUE_ID(label), \
					  (&__idx, _ctx), __VA_ARGS__)		\
			__drm_dev_ctx_proof(drm_dev_ctx_live, _live, bound.__ctx)

/**
 * drm_dev_ctx_guard_callback() - run a block in a callback that other subsystems call
 * @_live: name of the proof, a ``const struct drm_dev_ctx_live *`` for the block
 * @_ctx: the device; the caller of the callback keeps the pointer, for example as driver data
 *	of a bus device
 *
 * For completers that do not belong to drm_dev_ctx_async.h, such as the callback of a virtqueue,
 * for power management callbacks, and for &drm_plane_helper_funcs.panic_flush. The block runs
 * from drm_dev_ctx_attach() on until quiesce has returned. The block is not a section, so an
 * unplug does not wait for it, and the block may wait for the locks of the mode configuration.
 * The registration data is not released before the block is left. Once the block is refused, it
 * completes nothing, so quiesce must itself complete everything that depends on this callback
 * before it returns.
 *
 * Takes no lock, so any context can enter the block. An NMI may enter the block only in a panic,
 * when nothing else runs.
 *
 * Context: Any. The block must not wait for the end of the registration.
 */
#define drm_dev_ctx_guard_callback(_live, _ctx)					\
	scoped_guard(drm_dev_ctx_section_callback, _ctx)			\
		__drm_dev_ctx_proof(drm_dev_ctx_live, _live, bound.__ctx)

/**
 * drm_dev_ctx_guard_callback_else() - run a block in a callback, or else a statement
 * @_live: name of the proof, a ``const struct drm_dev_ctx_live *`` for the block
 * @_ctx: the device; the caller of the callback keeps the pointer, for example as driver data
 *	of a bus device
 * @...: statement in place of the block, such as ``ret = IRQ_NONE``
 *
 * Like drm_dev_ctx_guard_callback().
 *
 * Context: Any. The block must not wait for the end of the registration.
 */
#define drm_dev_ctx_guard_callback_else(_live, _ctx, ...)			\
	__drm_dev_ctx_scoped_else(drm_dev_ctx_section_callback, __UNIQUE_ID(label), \
				  (_ctx), __VA_ARGS__)				\
		__drm_dev_ctx_proof(drm_dev_ctx_live, _live, bound.__ctx)

/**
 * drm_dev_ctx_or() - need a registered device to the end of the scope
 * @_type: the driver's proof, without struct: see &struct drm_dev_ctx_reg
 * @_proof: name of the proof, a ``const struct _type *`` from here on
 * @_from: the &struct drm_dev_ctx, or the ``struct drm_dev_ctx_ioctl *`` of an ioctl
 * @...: statement that leaves the scope if the device is not registered, such
 *	as ``return -ENODEV``
 *
 * Does not compile if a goto or a case label jumps past this statement into its scope, where
 * the proof would not exist. The same holds for a goto in the last argument.
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
 * The rest of the scope is like the block of drm_dev_ctx_guard_live(). Does not compile if a
 * goto or a case label jumps past this statement into its scope.
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

/* Asserts that the ioctl is a driver's ioctl, with an argument of this size. */
#define __drm_dev_ctx_assert_ioctl(_ioctl, _arg_t)				\
	static_assert(_IOC_SIZE(DRM_IOCTL_##_ioctl) ==				\
		      __drm_dev_ctx_ioctl_size(_arg_t),				\
		      #_ioctl " has an argument of another size than " #_arg_t); \
	static_assert(_IOC_TYPE(DRM_IOCTL_##_ioctl) == DRM_IOCTL_BASE &&	\
		      _IOC_NR(DRM_IOCTL_##_ioctl) >= DRM_COMMAND_BASE &&	\
		      _IOC_NR(DRM_IOCTL_##_ioctl) < DRM_COMMAND_END,		\
		      #_ioctl " is not an ioctl of a DRM driver")

/*
 * Returns the context of an ioctl on @drm, or NULL with a report. The ioctls are for devices that
 * drm_dev_ctx_alloc() made, but a driver can use their struct drm_driver for any device.
 */
static __always_inline struct drm_dev_ctx_ioctl *__drm_dev_ctx_ioctl_of(struct drm_device *drm)
{
	struct drm_dev_ctx *ctx = to_drm_dev_ctx(drm);

	/* Unordered: see __drm_dev_ctx_try_enter(). */
	if (unlikely(__drm_dev_ctx_is_foreign(ctx) || READ_ONCE(ctx->__registered) != ctx)) {
		__drm_dev_ctx_refused(ctx);
		return NULL;
	}
	/* @ctx was dereferenced above. With this, the compiler can drop the caller's check. */
	if (!ctx)
		__builtin_unreachable();
	return (struct drm_dev_ctx_ioctl *)ctx;
}

/* The entry point of an ioctl; @_call calls the handler with args and file. */
#define __DRM_DEV_CTX_IOCTL(_ioctl, _arg_t, _call)				\
int __drm_dev_ctx_ioctl_##_ioctl(struct drm_device *drm, void *data,		\
				 struct drm_file *file)				\
{										\
	__drm_dev_ctx_assert_ioctl(_ioctl, _arg_t);				\
	struct drm_dev_ctx_ioctl *ioctl = __drm_dev_ctx_ioctl_of(drm);		\
	_arg_t *args = data;							\
										\
	if (unlikely(!ioctl))							\
		return -ENODEV;							\
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
 * The ioctl fails with -ENODEV once the device is unplugged, and unplugging waits for the
 * handler. The build fails if the handler has other types, or if the size of the argument differs
 * from the one that the ioctl's number encodes. For a table in the same file.
 */
#define DRM_DEV_CTX_IOCTL(_ioctl, _handler, _reg_t, _arg_t)			\
	static __DRM_DEV_CTX_IOCTL_REG(_ioctl, _handler, _reg_t, _arg_t)

/**
 * DRM_DEV_CTX_IOCTL_UNGUARDED() - the entry point of an ioctl that unplugging does not wait for
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``
 * @_handler: ``int handler(struct drm_dev_ctx_ioctl *ioctl, _arg_t *args, struct drm_file *file)``
 * @_arg_t: type of the argument; void for an ioctl without one
 *
 * The device has been registered, and may be unplugged at any time while the handler runs, so the
 * handler opens a section where it touches the hardware. For handlers that copy from or to
 * userspace, or wait for a long time. After the unplug, drm_ioctl() returns -ENODEV. For a table
 * in the same file.
 */
#define DRM_DEV_CTX_IOCTL_UNGUARDED(_ioctl, _handler, _arg_t)			\
	static __DRM_DEV_CTX_IOCTL(_ioctl, _arg_t, return _handler(ioctl, args, file))

/**
 * DRM_DEV_CTX_IOCTL_DECLARE() - declare the entry point of an ioctl for the table of another file
 * @_ioctl: the ioctl, without ``DRM_IOCTL_``
 *
 * Put this in a header of the driver. DRM_DEV_CTX_IOCTL_EXTERN() or
 * DRM_DEV_CTX_IOCTL_UNGUARDED_EXTERN() defines the entry point. The names must be unique among
 * all drivers that are built into the kernel.
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
 * The table is a ``static const struct drm_ioctl_desc`` array. The build fails if a
 * number occurs twice. ARRAY_SIZE() of the table is &drm_driver.num_ioctls.
 */
#define DRM_DEV_CTX_IOCTLS(_name)						\
	_Pragma(__DRM_DEV_CTX_ONCE)						\
	static const struct drm_ioctl_desc _name[]

/**
 * DRM_DEV_CTX_IOCTLS_EXTERN() - as DRM_DEV_CTX_IOCTLS(), for the &struct drm_driver of another file
 * @_name: the table. A header declares it with the number of ioctls:
 *	``extern const struct drm_ioctl_desc foo_ioctls[FOO_IOCTLS];``
 *
 * The build fails if the table does not have that number of ioctls.
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
