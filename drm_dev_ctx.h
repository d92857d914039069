/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _DRM_DEV_CTX_H
#define _DRM_DEV_CTX_H

#include <linux/container_of.h>
#include <linux/list.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>

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
 * - Belongs to a device that __drm_dev_ctx_alloc() made.
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
 * - It is used up by registration, or when it is dropped.
 */
struct drm_dev_unreg {
	struct drm_dev_bound bound;
};

/**
 * struct drm_dev_reg - proof that a device is registered and not unplugged
 * @bound: the weaker proof
 *
 * Lives on the stack, in the scope that drm_dev_if_registered() or
 * drm_dev_registered_or() opens.
 *
 * Invariants:
 *
 * - If @bound holds a device, then this task is in that device's unplug
 *   section, and the registration data has been published.
 */
struct drm_dev_reg {
	struct drm_dev_bound bound;
};

struct drm_dev_revocable;

/**
 * struct drm_dev_revocable_ops - how to revoke something
 */
struct drm_dev_revocable_ops {
	/**
	 * @get:
	 *
	 * Take a reference, which @revoke puts. Returns false if the last
	 * reference is gone: its owner is about to call
	 * drm_dev_revocable_take(), or to give the reference back and call
	 * drm_dev_revocable_retry(), and unbinding waits for it to do so.
	 * Called under a spinlock, and in the condition of a wait: does not
	 * sleep.
	 */
	bool (*get)(struct drm_dev_revocable *rev);

	/**
	 * @revoke:
	 *
	 * The parent is being unbound. The entry is off the list, and cannot be
	 * added again. Called without any lock, and may sleep.
	 */
	void (*revoke)(struct drm_dev_revocable *rev);
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
 * - On the device's list from drm_dev_revocable_add() until
 *   drm_dev_revocable_take() returns true or &drm_dev_revocable_ops.get does.
 *   Exactly one of them does.
 */
struct drm_dev_revocable {
	/* private: */
	struct list_head __node;
	const struct drm_dev_revocable_ops *__ops;
};

/**
 * struct drm_dev_handle - something that should be gone before its device is
 *
 * Embedded in the handles that other parts of the library give out. With
 * CONFIG_DRM_SAFE_DEBUG it remembers the stack that made the handle, for
 * debugfs and for the report when the device is released before it; otherwise
 * it takes no room.
 */
struct drm_dev_handle {
#ifdef CONFIG_DRM_SAFE_DEBUG
	/* private: */
	struct ref_tracker *__tracker;
#endif
};

/*
 * The unplug section of a scope. Apart from the proof, which others see, and
 * from @idx, which DRM sees, so that the compiler knows at any place what is
 * @open and tests nothing.
 */
struct drm_dev_section {
	struct drm_device *drm;
	int *idx;
	bool open;
	/* Entered with __drm_dev_bound_enter() instead, see drm_dev_if_bound() */
	bool bound;
#ifdef CONFIG_DRM_SAFE_DEBUG
	struct list_head node;
	struct task_struct *task;
	unsigned long where;
#endif
};

enum drm_dev_reg_step {
	DRM_DEV_REG_KMS_SHUTDOWN,
	DRM_DEV_REG_QUIESCE,
	DRM_DEV_REG_RELEASE,
};

/* Calls one of a driver's registration callbacks with the driver's types. */
typedef void drm_dev_reg_call_t(const void *ops, enum drm_dev_reg_step step,
				struct drm_device *drm,
				const struct drm_dev_bound *bound, void *data);

/*
 * What a device is allocated from. @dev has to be bound just now by a driver in the
 * module that allocates, which @owner and @modname name. If the driver has @stated
 * the parent, then it may be another module, and bound before if it is the parent.
 * @name was given to DRM_DEV_CTX(): with @modname, it is what callbacks of @driver that
 * were defined for a type of device ask for, see __drm_dev_check_type().
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
	const char *name;
};

struct drm_dev_unreg *
__drm_dev_ctx_alloc(const struct drm_dev_ctx_args *args) __must_check;
void __drm_dev_unreg_drop(struct drm_dev_unreg *unreg);
int __drm_dev_ctx_register(struct device *dev, struct drm_dev_unreg *unreg,
			   drm_dev_reg_call_t *call, const void *ops,
			   void *data) __must_check __must_not_hold(drm_dev_section);
int __drm_dev_ctx_unregister(struct drm_device *drm)
	__must_not_hold(drm_dev_section);
int __drm_dev_check_type(struct drm_device *drm, const char *name,
			 const char *modname) __must_check;
void *__drm_dev_reg_data(const struct drm_dev_reg *reg);
void __cold __drm_dev_refused(struct drm_device *drm) __drm_nonallocating;
bool __drm_dev_bound_enter(struct drm_device *drm);
void __drm_dev_bound_leave(struct drm_device *drm);
struct drm_device *__cold __drm_dev_enter_early(struct drm_device *drm, int idx)
	__drm_nonallocating;

int drm_dev_revocable_add(const struct drm_dev_bound *bound,
			  struct drm_dev_revocable *rev,
			  const struct drm_dev_revocable_ops *ops) __must_check;
bool drm_dev_revocable_take(struct drm_device *drm, struct drm_dev_revocable *rev)
	__must_check __cond_acquires_shared(true, drm_dev_revocation);
void drm_dev_revocable_done(struct drm_device *drm)
	__releases_shared(drm_dev_revocation);
void drm_dev_revocable_retry(struct drm_device *drm);
bool drm_dev_ctx_is_unbound(struct drm_device *drm);

#if IS_ENABLED(CONFIG_KUNIT)
extern unsigned int drm_dev_section_limit_ms;
#endif

#ifdef CONFIG_DRM_SAFE_DEBUG
void drm_dev_handle_add(struct drm_device *drm, struct drm_dev_handle *handle);
void drm_dev_handle_del(struct drm_device *drm, struct drm_dev_handle *handle);
void __drm_dev_section_track(struct drm_dev_section *s);
void __drm_dev_section_untrack(struct drm_dev_section *s);
#else
static inline void drm_dev_handle_add(struct drm_device *drm,
				      struct drm_dev_handle *handle) {}
static inline void drm_dev_handle_del(struct drm_device *drm,
				      struct drm_dev_handle *handle) {}
static __always_inline void __drm_dev_section_track(struct drm_dev_section *s) {}
static __always_inline void __drm_dev_section_untrack(struct drm_dev_section *s) {}
#endif

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
 * drm_dev_bound_parent() - the parent of a DRM device
 * @bound: the proof that it is bound
 *
 * The device that names the DRM device, and that does DMA for it unless
 * drm_dev_set_dma_dev() set another one: use drm_dev_dma_dev() for DMA. It is
 * drm_dev_bound_device() as well, unless the device was allocated with
 * ``NAME_dev_alloc_parent()``.
 *
 * Return: the parent, borrowed for the scope of the proof.
 */
static __always_inline struct device *
drm_dev_bound_parent(const struct drm_dev_bound *bound)
{
	return bound->__drm->dev;
}

struct device *drm_dev_bound_device(const struct drm_dev_bound *bound);

static __always_inline bool
__drm_dev_section_open(struct drm_device *drm, struct drm_dev_section *s)
{
	s->drm = drm;
	s->open = true;
	__drm_dev_section_track(s);
	return true;
}

static __always_inline void __drm_dev_section_leave(struct drm_dev_section *s)
	__releases_shared(drm_dev_section)
	__context_unsafe("what s->open says: see __drm_dev_section_begin()")
{
	if (s->bound)
		__drm_dev_bound_leave(s->drm);
	if (!s->open)
		return;
	__drm_dev_section_untrack(s);
	drm_dev_exit(*s->idx);
}

/*
 * From an ioctl context: the device's minors are live, or were, so that the
 * registration data is there as long as the device is not unplugged.
 */
static __always_inline bool
__drm_dev_section_enter_ioctl(struct drm_device *drm, struct drm_dev_section *s)
	__must_hold_shared(drm_dev_section)
	__context_unsafe("see __drm_dev_section_begin()")
{
	if (unlikely(!drm_dev_enter(drm, s->idx))) {
		__drm_dev_refused(drm);
		return false;
	}
	return __drm_dev_section_open(drm, s);
}

static __always_inline bool
__drm_dev_section_enter(struct drm_device *drm, struct drm_dev_section *s)
	__must_hold_shared(drm_dev_section)
	__context_unsafe("see __drm_dev_section_begin()")
{
	if (unlikely(!drm_dev_enter(drm, s->idx))) {
		__drm_dev_refused(drm);
		return false;
	}
	/*
	 * drm_dev_enter() succeeds on a device that was never registered.
	 * Acquire: pairs with the write barrier in drm_dev_ctx_go_live(). The
	 * registration data of a registered device is seen, too.
	 */
	if (unlikely(!smp_load_acquire(&drm->registered))) {
		drm = __drm_dev_enter_early(drm, *s->idx);
		if (!drm)
			return false;
	}
	return __drm_dev_section_open(drm, s);
}

/*
 * Whether the device is registered, or its registration is ending and quiesce has not
 * returned. Asks for the latter first if the device is unplugged, so that what gets in is
 * not counted as refused; and again, since it can be unplugged in between.
 */
static __always_inline bool
__drm_dev_section_enter_bound(struct drm_device *drm, struct drm_dev_section *s)
	__must_hold_shared(drm_dev_section)
{
	s->drm = drm;
	s->bound = drm_dev_is_unplugged(drm) && __drm_dev_bound_enter(drm);
	if (s->bound || __drm_dev_section_enter(drm, s))
		return true;
	s->bound = __drm_dev_bound_enter(drm);
	return s->bound;
}

#define __drm_dev_enter(_name, _from, _section)					\
	_Generic((_from),							\
		 struct _name##_ioctl *: __##_name##_enter_ioctl,		\
		 default: __drm_dev_section_enter)(_from, _section)

/*
 * Means "no section is open in this scope"; the macros below hide it by a
 * declaration of the same name and another type.
 */
enum { __drm_dev_in_section };

#define __drm_dev_assert_no_section()						\
	static_assert(!__same_type(__drm_dev_in_section, struct drm_dev_section *), \
		      "inside of a section that needs a registration, this waits for itself")

/*
 * A block that runs at most once: if @_enter, which can use __section, is true.
 * @_proof is of type @_type and has the device in @_member.
 */
#define __drm_dev_if(_type, _proof, _member, _enter)				\
	for (int __idx = 0, *__once = &__idx; __once; __once = NULL)		\
		for (struct drm_dev_section __section				\
			__cleanup(__drm_dev_section_leave) =			\
				{ .idx = __drm_dev_section_begin(&__idx) },	\
		     *__drm_dev_in_section = (_enter) ? &__section : NULL;	\
		     __drm_dev_in_section; __drm_dev_in_section = NULL)		\
			__drm_safe_no_jump_into(__section, __drm_dev_in_section, \
						__drm_dev_in_section = NULL)	\
				for (const _type _proof[1] __maybe_unused =	\
				     { { ._member = __section.drm } };		\
				     __drm_dev_in_section; __drm_dev_in_section = NULL)

/**
 * drm_dev_if_registered() - run a block if a device is registered
 * @_name: name given to DRM_DEV_CTX()
 * @_proof: name of the proof, a ``const struct NAME_reg *`` for the block
 * @_from: a &struct drm_device, or the ``struct NAME_ioctl`` of an ioctl
 *
 * The block is skipped unless the device is registered and not unplugged, and
 * the device stays so until the block is left, on whatever path. It is a loop
 * that runs at most once: break leaves it.
 *
 * Context: Any but NMI. The block may sleep if its surroundings may.
 */
#define drm_dev_if_registered(_name, _proof, _from)				\
	__drm_dev_if(struct _name##_reg, _proof, bound.__drm,			\
		     __drm_dev_enter(_name, _from, &__section))

/**
 * drm_dev_registered_or() - need a registered device to the end of the scope
 * @_name: name given to DRM_DEV_CTX()
 * @_proof: name of the proof, a ``const struct NAME_reg *`` from here on
 * @_from: a &struct drm_device, or the ``struct NAME_ioctl`` of an ioctl
 * @...: statement that leaves the scope if the device is not registered, such
 *	as ``return -ENODEV``
 *
 * Does not compile if a goto or a case label leads past it into its scope, also
 * the goto in @...: the proof does not exist there.
 *
 * Context: Any but NMI.
 */
#define drm_dev_registered_or(_name, _proof, _from, ...)			\
	int __idx_##_proof;							\
	struct drm_dev_section __section_##_proof				\
		__cleanup(__drm_dev_section_leave) =				\
			{ .idx = __drm_dev_section_begin(&__idx_##_proof) };	\
	extern struct drm_dev_section *__drm_dev_in_section __maybe_unused;	\
	if (!__drm_dev_enter(_name, _from, &__section_##_proof)) {		\
		__VA_ARGS__;							\
		__drm_safe_must_leave();					\
	}									\
	__drm_safe_no_jump(_proof, __section_##_proof);				\
	const struct _name##_reg _proof[1] __maybe_unused = {			\
		{ .bound.__drm = __section_##_proof.drm }			\
	}

/**
 * drm_dev_if_bound() - run a block if the hardware may still be used
 * @_bound: name of the proof, a ``const struct drm_dev_bound *`` for the block
 * @_drm: the &struct drm_device
 *
 * As drm_dev_if_registered(), but the block also runs while the registration
 * ends, in any task, until quiesce has returned: the device is unplugged by then, and
 * yet the hardware is there. For what drm_atomic_helper_shutdown() calls or waits
 * for, such as &drm_crtc_helper_funcs.atomic_disable, also in the worker of a
 * nonblocking commit, and for other work that quiesce flushes. The registration data
 * is not released before the block is left.
 *
 * Context: Any but NMI. The block must not wait for the end of the registration.
 */
#define drm_dev_if_bound(_bound, _drm)						\
	__drm_dev_if(struct drm_dev_bound, _bound, __drm,			\
		     __drm_dev_section_enter_bound(_drm, &__section))

/**
 * drm_dev_ctx_register() - register a device
 * @_name: name given to DRM_DEV_CTX()
 * @_dev: the device that is being bound, to which the device was allocated;
 *	another one is reported and gives -EINVAL
 * @_unreg: variable that holds the token; NULL afterwards, whatever is returned
 * @_ops: the driver's ``const struct NAME_reg_ops *``, or NULL
 * @_data: registration data, owned by the registration from here on
 *
 * Publishes the registration data and then the device. The registration ends
 * when @_dev is unbound, or with drm_dev_ctx_unregister().
 *
 * The arguments are evaluated once, in the order in which they are written, and
 * the token is used up after the others: they may use it.
 *
 * Context: May sleep. From the probe function of the driver of @_dev.
 *
 * Return: 0 or a negative error code. On error the registration data was
 * quiesced and released, in this order, and nothing of the device is left to be
 * seen. kms_shutdown ran before if the device was live. Without a device, that is
 * if the token is NULL or an ERR_PTR(), which is reported, there is no proof for
 * quiesce, and the data was only released.
 */
#define drm_dev_ctx_register(_name, _dev, _unreg, _ops, _data)			\
	__drm_safe_must_check(({						\
		struct device *__reg_dev = (_dev);				\
		const struct _name##_reg_ops *__reg_ops = (_ops);		\
		typeof(__##_name##_types.data) __reg_data = (_data);		\
										\
		__drm_dev_assert_no_section();					\
		__##_name##_unreg_spend(_unreg);				\
		__##_name##_register(__reg_dev, drm_safe_take(_unreg),		\
				     __reg_ops, __reg_data);			\
	}))

/**
 * drm_dev_ctx_drop() - give up a device that was not registered
 * @_name: name given to DRM_DEV_CTX()
 * @_unreg: variable that holds the token; NULL afterwards
 *
 * The same happens at the end of the scope of a token that is
 * ``__free(NAME_unreg)``. What the device holds stays until the parent is
 * unbound or its probe function has failed, as with devm_drm_dev_alloc().
 *
 * Context: May sleep.
 */
#define drm_dev_ctx_drop(_name, _unreg)						\
	__##_name##_drop(({							\
		__##_name##_unreg_spend(_unreg);				\
		drm_safe_take(_unreg);						\
	}))

/**
 * drm_dev_ctx_unregister() - end a registration before the parent is unbound
 * @_drm: the &struct drm_device; the caller holds a reference, or the parent is
 *	bound
 *
 * Unplugs the device, waits for all sections that need the registration, shuts
 * down the display, quiesces the hardware and releases the registration data;
 * if another thread is doing so, waits for it. Does not compile in the scope of
 * drm_dev_if_registered() or drm_dev_registered_or(), on whatever device: DRM
 * waits for the sections of all devices, so this would wait for itself.
 *
 * Context: May sleep. Not from a section that needs a registration, nor from a
 * callback of &struct NAME_reg_ops.
 *
 * Return:
 * * 0 - the registration ended here
 * * -ENODEV - there is none: it ended before, or never was
 * * -EDEADLK - called from where it would wait for itself; nothing was done
 */
#define drm_dev_ctx_unregister(_drm) ({						\
	__drm_dev_assert_no_section();						\
	__drm_dev_ctx_unregister(_drm);						\
})

/*
 * Without an owner, the module can be unloaded while files are open. Where the
 * compiler sees the struct drm_driver, the build fails; where it does not, the
 * allocation.
 */
#ifdef MODULE
#define __drm_dev_assert_owner(_driver) do {					\
	const struct file_operations *__fops = (_driver)->fops;			\
	bool __no_owner = __fops && !__fops->owner;				\
										\
	compiletime_assert(!(__builtin_constant_p(__no_owner) && __no_owner),	\
			   "the file operations have no owner: THIS_MODULE");	\
} while (0)
#else
#define __drm_dev_assert_owner(_driver)	((void)(_driver))
#endif

/*
 * What all forms of DRM_DEV_CTX() declare. @_file_t is the type that the handlers
 * of ioctls get for the struct drm_file. Never defined, struct NAME_ioctl is a
 * struct drm_device that is known to have been registered. Never defined, too,
 * __NAME_types is for typeof().
 */
#define __DRM_DEV_CTX(_name, _dev_t, _member, _data_t, _file_t)			\
	__DRM_TOKEN(_name##_unreg);						\
										\
	struct _name##_unreg {							\
		union {								\
			struct drm_dev_unreg unreg;				\
			struct drm_dev_bound bound;				\
		};								\
	};									\
										\
	struct _name##_reg {							\
		union {								\
			struct drm_dev_reg reg;					\
			struct drm_dev_bound bound;				\
		};								\
	};									\
										\
	struct _name##_ioctl;							\
										\
	struct __##_name##_types {						\
		const struct _name##_reg *reg;					\
		struct _name##_ioctl *ioctl;					\
		_dev_t *dev;							\
		_file_t *file;							\
		_data_t *data;							\
	};									\
	extern struct __##_name##_types __##_name##_types;			\
										\
	struct _name##_reg_ops {						\
		void (*kms_shutdown)(struct drm_device *drm);			\
		void (*quiesce)(const struct drm_dev_bound *bound, _data_t *data);	\
		void (*release)(_data_t *data);					\
	};									\
										\
	static inline void							\
	__##_name##_reg_call(const void *_ops, enum drm_dev_reg_step step,	\
			     struct drm_device *drm,				\
			     const struct drm_dev_bound *bound, void *data)	\
	{									\
		const struct _name##_reg_ops *ops = _ops;			\
										\
		if (step == DRM_DEV_REG_KMS_SHUTDOWN && ops->kms_shutdown)	\
			ops->kms_shutdown(drm);					\
		else if (step == DRM_DEV_REG_QUIESCE && ops->quiesce)		\
			ops->quiesce(bound, data);				\
		else if (step == DRM_DEV_REG_RELEASE && ops->release)		\
			ops->release(data);					\
	}									\
										\
	static __always_inline struct _name##_unreg *				\
	__##_name##_alloc(struct device *dev, struct device *parent, bool stated, \
			  const struct drm_driver *driver)			\
	{									\
		static_assert(__alignof__(_dev_t) <= SMP_CACHE_BYTES,		\
			      #_dev_t " needs more alignment than allocations have"); \
		const struct drm_dev_ctx_args args = {				\
			.dev = dev,						\
			.parent = parent,					\
			.stated = stated,					\
			.driver = driver,					\
			.size = sizeof(_dev_t),					\
			.offset = offsetof(_dev_t, _member),			\
			.owner = THIS_MODULE,					\
			.modname = KBUILD_MODNAME,				\
			.name = #_name,						\
		};								\
										\
		__drm_dev_assert_owner(driver);					\
		return (struct _name##_unreg *)__drm_dev_ctx_alloc(&args);	\
	}									\
										\
	static __always_inline struct _name##_unreg *				\
	_name##_dev_alloc(struct device *dev, const struct drm_driver *driver)	\
	{									\
		return __##_name##_alloc(dev, dev, false, driver);		\
	}									\
										\
	static __always_inline __maybe_unused struct _name##_unreg *		\
	_name##_dev_alloc_parent(struct device *dev, struct device *parent,	\
				 const struct drm_driver *driver)		\
	{									\
		return __##_name##_alloc(dev, parent, true, driver);		\
	}									\
										\
	static inline void __##_name##_drop(struct _name##_unreg *unreg)	\
	{									\
		__drm_dev_unreg_drop((struct drm_dev_unreg *)unreg);		\
	}									\
										\
	DEFINE_FREE(_name##_unreg, struct _name##_unreg *,			\
		    if (!IS_ERR_OR_NULL(_T)) __##_name##_drop(_T))		\
										\
	static inline int __must_check						\
	__##_name##_register(struct device *dev, struct _name##_unreg *unreg,	\
			     const struct _name##_reg_ops *ops, _data_t *data)	\
		__must_not_hold(drm_dev_section)				\
	{									\
		return __drm_dev_ctx_register(dev, (struct drm_dev_unreg *)unreg, \
					      __##_name##_reg_call, ops, data);	\
	}									\
										\
	static __always_inline _dev_t *_name##_dev(const struct drm_device *drm)	\
	{									\
		return (_dev_t *)container_of(drm, _dev_t, _member);		\
	}									\
										\
	static __always_inline _dev_t *						\
	_name##_unreg_dev(const struct _name##_unreg *unreg)			\
	{									\
		return _name##_dev(drm_safe_live(unreg)->bound.__drm);		\
	}									\
										\
	static __always_inline _dev_t *_name##_reg_dev(const struct _name##_reg *reg)	\
	{									\
		return _name##_dev(reg->bound.__drm);				\
	}									\
										\
	static __always_inline _dev_t *						\
	_name##_ioctl_dev(const struct _name##_ioctl *ioctl)			\
	{									\
		return _name##_dev((const struct drm_device *)ioctl);		\
	}									\
										\
	static __always_inline struct _name##_ioctl *				\
	_name##_reg_ioctl(const struct _name##_reg *reg)			\
	{									\
		return (struct _name##_ioctl *)reg->bound.__drm;		\
	}									\
										\
	static __always_inline _data_t *_name##_reg_data(const struct _name##_reg *reg)	\
	{									\
		return __drm_dev_reg_data(&reg->reg);				\
	}									\
										\
	static __always_inline bool						\
	__##_name##_enter_ioctl(struct _name##_ioctl *ioctl,			\
				struct drm_dev_section *s)			\
		__must_hold_shared(drm_dev_section)				\
	{									\
		return __drm_dev_section_enter_ioctl((struct drm_device *)ioctl, s); \
	}									\
	struct __##_name##_types

/**
 * DRM_DEV_CTX() - declare the contexts of a driver's device
 * @_name: prefix of what is declared
 * @_dev_t: the driver's device type
 * @_member: the &struct drm_device in it
 * @_data_t: type of the registration data
 * @_file_t: type of the per-file data; has a member ``struct drm_file *drm``
 *
 * Stands in a header of the driver, below the definitions of @_dev_t and @_file_t.
 * See the overview for what it declares.
 */
#define DRM_DEV_CTX(_name, _dev_t, _member, _data_t, _file_t)				\
	__DRM_DEV_CTX(_name, _dev_t, _member, _data_t, _file_t);			\
										\
	static __always_inline struct drm_file *_name##_file_drm(const _file_t *file) \
	{									\
		static_assert(__same_type(file->drm, struct drm_file *));	\
		return file->drm;						\
	}									\
	struct __##_name##_types

/**
 * DRM_DEV_CTX_NO_FILE() - the same for a driver that keeps no per-file data
 * @_name: prefix of what is declared
 * @_dev_t: the driver's device type
 * @_member: the &struct drm_device in it
 * @_data_t: type of the registration data
 *
 * Handlers of ioctls get the &struct drm_file itself.
 */
#define DRM_DEV_CTX_NO_FILE(_name, _dev_t, _member, _data_t)			\
	__DRM_DEV_CTX(_name, _dev_t, _member, _data_t, struct drm_file)

/*
 * What an entry point of DRM does first, for each context that its handler can
 * ask for. Declares __ctx, the handler's first argument. @_types is a struct
 * that has the driver's types, and is not evaluated.
 */
#define __DRM_DEV_NEED_REGISTERED(_types, _todev, _drm)				\
	int __idx;								\
	struct drm_dev_section __section					\
		__cleanup(__drm_dev_section_leave) =				\
			{ .idx = __drm_dev_section_begin(&__idx) };		\
										\
	if (!__drm_dev_section_enter_ioctl(_drm, &__section))			\
		return -ENODEV;							\
										\
	typeof(*(_types).reg) __ctx[1] = {				\
		{ .bound.__drm = __section.drm }				\
	}

#define __DRM_DEV_NEED_IOCTL(_types, _todev, _drm)				\
	typeof((_types).ioctl) __ctx = (void *)(_drm)

#define __DRM_DEV_NEED_NORMAL(_types, _todev, _drm)				\
	typeof((_types).dev) __ctx = _todev(_drm)

/**
 * DRM_DEV_FILE_OPS() - define the open and postclose callbacks of a driver
 * @_name: name given to DRM_DEV_CTX()
 * @_need: what @_open needs: REGISTERED, IOCTL or NORMAL
 * @_open: makes the per-file data,
 *	``struct NAME_file *open(context, struct drm_file *)``; an ERR_PTR() or
 *	NULL (for -ENOMEM) on error
 * @_postclose: frees the per-file data,
 *	``void postclose(struct NAME_device *, struct NAME_file *)``; the device
 *	may be unplugged and its parent unbound
 *
 * Defines ``NAME_drm_open()`` and ``NAME_drm_postclose()`` for the
 * &struct drm_driver. The context is stated as in DRM_DEV_IOCTL_TABLE(). A device that
 * ``NAME_dev_alloc()`` did not make is not opened: -EINVAL, which is reported.
 */
#define DRM_DEV_FILE_OPS(_name, _need, _open, _postclose)			\
	static int _name##_drm_open(struct drm_device *drm, struct drm_file *drm_file) \
	{									\
		int ret = __drm_dev_check_type(drm, #_name, KBUILD_MODNAME);	\
										\
		if (ret)							\
			return ret;						\
										\
		__DRM_DEV_NEED_##_need(__##_name##_types, _name##_dev, drm);	\
		typeof(__##_name##_types.file) file =				\
			_open(__ctx, drm_file);					\
										\
		if (IS_ERR_OR_NULL(file))					\
			return file ? PTR_ERR(file) : -ENOMEM;			\
		file->drm = drm_file;						\
		drm_file->driver_priv = file;					\
		return 0;							\
	}									\
										\
	static void _name##_drm_postclose(struct drm_device *drm,		\
					  struct drm_file *drm_file)		\
	{									\
		typeof(__##_name##_types.file) file = drm_file->driver_priv;	\
										\
		drm_file->driver_priv = NULL;					\
		_postclose(_name##_dev(drm), file);				\
	}									\
	struct __##_name##_types

/* sizeof() as _IOC_SIZE() has it: an ioctl without argument says void */
#define __drm_dev_ioctl_size(_type)						\
	(__builtin_types_compatible_p(_type, void) ? 0 : sizeof(_type))

#define __DRM_DEV_IOCTL_FN(_ioctl, _type, _handler, _need, _flags)		\
	static int __drm_dev_ioctl_##_ioctl(struct drm_device *drm, void *data,	\
					    struct drm_file *drm_file)		\
	{									\
		static_assert(_IOC_SIZE(DRM_IOCTL_##_ioctl) ==			\
			      __drm_dev_ioctl_size(_type),			\
			      #_ioctl " has an argument of another size than " #_type); \
		static_assert(_IOC_TYPE(DRM_IOCTL_##_ioctl) == DRM_IOCTL_BASE &&	\
			      _IOC_NR(DRM_IOCTL_##_ioctl) >= DRM_COMMAND_BASE &&	\
			      _IOC_NR(DRM_IOCTL_##_ioctl) < DRM_COMMAND_END,	\
			      #_ioctl " is not an ioctl of a DRM driver");	\
		int ret = __drm_dev_ioctl_check_type(drm);			\
										\
		if (ret)							\
			return ret;						\
										\
		__DRM_DEV_NEED_##_need(__drm_dev_ioctl_types,			\
				      __drm_dev_ioctl_dev, drm);		\
		typeof(__drm_dev_ioctl_types.file) file =			\
			_Generic(file,						\
				 struct drm_file *: (void *)drm_file,		\
				 default: drm_file->driver_priv);		\
		_type *args = data;						\
										\
		return _handler(__ctx, args, file);				\
	}

#define __DRM_DEV_IOCTL_CASE(_ioctl, _type, _handler, _need, _flags)		\
	case _IOC_NR(DRM_IOCTL_##_ioctl):

#define __DRM_DEV_IOCTL_DESC(_ioctl, _type, _handler, _need, _flags)		\
	DRM_IOCTL_DEF_DRV(_ioctl, __drm_dev_ioctl_##_ioctl, _flags),

/**
 * DRM_DEV_IOCTL_TABLE() - define the table of a driver's ioctls
 * @_name: name given to DRM_DEV_CTX()
 * @_list: macro that applies its argument to each ioctl:
 *	``X(IOCTL, type of the argument, handler, context, flags)``
 *
 * Defines ``static const struct drm_ioctl_desc NAME_ioctls[]`` for
 * &drm_driver.ioctls; ARRAY_SIZE() of it is &drm_driver.num_ioctls. IOCTL is
 * written without ``DRM_IOCTL_``, the flags are those of &enum drm_ioctl_flags, and
 * the type is void for an ioctl without argument. A handler is called as
 * ``handler(context, type *args, struct NAME_file *file)``, with one of
 *
 * - REGISTERED: ``const struct NAME_reg *``; the ioctl fails with -ENODEV once
 *   the device is unplugged, and unplugging waits for the handler.
 * - IOCTL: ``struct NAME_ioctl *``; the device has been registered and may be
 *   unplugged meanwhile.
 * - NORMAL: ``struct NAME_device *``.
 *
 * The build fails if a handler has other types, if the argument has not the
 * size that the ioctl's number says, or if a number occurs twice. One table a
 * file. With DRM_DEV_CTX_NO_FILE(), an ioctl of a device that ``NAME_dev_alloc()`` did
 * not make fails with -EINVAL, which is reported.
 */
#define DRM_DEV_IOCTL_TABLE(_name, _list)					\
	extern struct __##_name##_types __drm_dev_ioctl_types;			\
										\
	static __always_inline typeof(_name##_dev(NULL))			\
	__drm_dev_ioctl_dev(const struct drm_device *drm)			\
	{									\
		return _name##_dev(drm);					\
	}									\
										\
	/* With files of the driver's own, opening one has asked. */		\
	static __always_inline int						\
	__drm_dev_ioctl_check_type(struct drm_device *drm)			\
	{									\
		return _Generic(__drm_dev_ioctl_types.file,			\
				struct drm_file *:				\
				__drm_dev_check_type(drm, #_name, KBUILD_MODNAME), \
				default: 0);					\
	}									\
										\
	_list(__DRM_DEV_IOCTL_FN)						\
										\
	static __always_inline __maybe_unused void				\
	__drm_dev_ioctl_numbers_are_unique(unsigned int nr)			\
	{									\
		switch (nr) {							\
		_list(__DRM_DEV_IOCTL_CASE)					\
			break;							\
		}								\
	}									\
										\
	static const struct drm_ioctl_desc _name##_ioctls[] = {			\
		_list(__DRM_DEV_IOCTL_DESC)					\
	}

#endif /* _DRM_DEV_CTX_H */
