/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Work items, timers and interrupts that belong to a registration. Stands on
 * drm_dev_ctx.h, which knows no more of them than struct drm_dev_ctx_async.
 */
#ifndef _DRM_DEV_CTX_ASYNC_H
#define _DRM_DEV_CTX_ASYNC_H

#include <linux/interrupt.h>
#include <linux/lockdep_types.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx.h"

/**
 * struct drm_dev_ctx_work - a work item that belongs to a registration
 *
 * Embedded in the registration data, or in what is freed before the &struct drm_device is.
 * May be queued with a delay, by itself, too.
 */
struct drm_dev_ctx_work {
	/* private: */
	struct drm_dev_ctx_async __async;
	struct delayed_work __work;
	union {
		void (*__reg)(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_work *work);
		void (*__live)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_work *work);
	};
	/* Where it was queued while it was held back; under &drm_dev_ctx.__async_lock */
	struct workqueue_struct *__held;
	unsigned long __delay;
};

/**
 * struct drm_dev_ctx_timer - a timer that belongs to a registration
 *
 * Embedded in the registration data, or in what is freed before the &struct drm_device is.
 * May be started by itself, too.
 */
struct drm_dev_ctx_timer {
	/* private: */
	struct drm_dev_ctx_async __async;
	struct timer_list __timer;
	union {
		void (*__reg)(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_timer *timer);
		void (*__live)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_timer *timer);
	};
	/* When it is to expire, if it was started while held back; under the same lock */
	bool __held;
	unsigned long __expires;
};

struct drm_dev_ctx_irq;

/**
 * struct drm_dev_ctx_irq_ops - the handlers of an interrupt
 *
 * One of the two may be missing. Both end the waits of others, so both run until after
 * quiesce, and open no section.
 */
struct drm_dev_ctx_irq_ops {
	/**
	 * @handler:
	 *
	 * As the handler of request_threaded_irq(). If the line is shared then it can
	 * be called until release, when the device has raised no interrupt, too.
	 */
	irqreturn_t (*handler)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_irq *irq);

	/**
	 * @thread:
	 *
	 * As the thread function of request_threaded_irq().
	 */
	irqreturn_t (*thread)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_irq *irq);
};

/**
 * struct drm_dev_ctx_irq - an interrupt that belongs to a registration
 *
 * Embedded in the registration data, or in what is freed before the &struct drm_device is.
 */
struct drm_dev_ctx_irq {
	/* private: */
	struct drm_dev_ctx_async __async;
	const struct drm_dev_ctx_irq_ops *__ops;
	unsigned int __irq;
};

void __drm_dev_ctx_work_init_reg(struct drm_dev_ctx_work *work,
				 const struct drm_dev_ctx_live *live,
				 void (*fn)(const struct drm_dev_ctx_reg *reg,
					    struct drm_dev_ctx_data *data,
					    struct drm_dev_ctx_work *work),
				 const char *name, struct lock_class_key *key);
void __drm_dev_ctx_work_init_live(struct drm_dev_ctx_work *work,
				  const struct drm_dev_ctx_live *live,
				  void (*fn)(const struct drm_dev_ctx_live *live,
					     struct drm_dev_ctx_data *data,
					     struct drm_dev_ctx_work *work),
				  const char *name, struct lock_class_key *key);
bool drm_dev_ctx_work_queue(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			    unsigned long delay);
bool drm_dev_ctx_work_mod(struct drm_dev_ctx_work *work, struct workqueue_struct *wq,
			  unsigned long delay);
bool drm_dev_ctx_work_cancel_sync(struct drm_dev_ctx_work *work);
bool drm_dev_ctx_work_flush(struct drm_dev_ctx_work *work);
void drm_dev_ctx_work_fini(struct drm_dev_ctx_work *work);

void __drm_dev_ctx_timer_init_reg(struct drm_dev_ctx_timer *timer,
				  const struct drm_dev_ctx_live *live,
				  void (*fn)(const struct drm_dev_ctx_reg *reg,
					     struct drm_dev_ctx_data *data,
					     struct drm_dev_ctx_timer *timer),
				  const char *name, struct lock_class_key *key);
void __drm_dev_ctx_timer_init_live(struct drm_dev_ctx_timer *timer,
				   const struct drm_dev_ctx_live *live,
				   void (*fn)(const struct drm_dev_ctx_live *live,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_timer *timer),
				   const char *name, struct lock_class_key *key);
bool drm_dev_ctx_timer_mod(struct drm_dev_ctx_timer *timer, unsigned long expires);
bool drm_dev_ctx_timer_delete_sync(struct drm_dev_ctx_timer *timer);
void drm_dev_ctx_timer_fini(struct drm_dev_ctx_timer *timer);

int drm_dev_ctx_irq_request(struct drm_dev_ctx_irq *irq, const struct drm_dev_ctx_live *live,
			    unsigned int nr, const struct drm_dev_ctx_irq_ops *ops,
			    unsigned long flags, const char *name) __must_check;
void drm_dev_ctx_irq_free(struct drm_dev_ctx_irq *irq);

/* Calls one of two functions, by the proof that the handler @_fn takes. */
#define __drm_dev_ctx_async_init(_what, _async, _live, _fn)			\
	_Generic((_fn),								\
		 void (*)(const struct drm_dev_ctx_reg *, struct drm_dev_ctx_data *, \
			  struct drm_dev_ctx_##_what *):			\
			 __drm_dev_ctx_##_what##_init_reg,			\
		 void (*)(const struct drm_dev_ctx_live *, struct drm_dev_ctx_data *, \
			  struct drm_dev_ctx_##_what *):			\
			 __drm_dev_ctx_##_what##_init_live)			\
	(_async, _live, _fn, #_async, ({					\
		static struct lock_class_key __key;				\
										\
		&__key;								\
	}))

/**
 * drm_dev_ctx_work_init() - prepare a work item that belongs to a registration
 * @_work: the &struct drm_dev_ctx_work, zeroed, or ended with drm_dev_ctx_work_fini()
 * @_live: proof that there is registration data
 * @_fn: the handler, which says what it needs:
 *	a void function of a ``const struct drm_dev_ctx_reg *`` or a
 *	``const struct drm_dev_ctx_live *``, a ``struct drm_dev_ctx_data *``, and a
 *	``struct drm_dev_ctx_work *``
 *
 * A handler that takes a &struct drm_dev_ctx_reg is called in a section. It does not run
 * before the device is registered, nor after it was unplugged: if it is queued before then it
 * runs once the device is registered, and never if registration fails. A handler that takes
 * a &struct drm_dev_ctx_live may run until after quiesce, and is for what completes what
 * others wait for. Either is cancelled and waited for by the library, which also
 * keeps it from being queued again.
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_work_init(_work, _live, _fn)				\
	__drm_dev_ctx_async_init(work, _work, _live, _fn)

/**
 * drm_dev_ctx_timer_init() - prepare a timer that belongs to a registration
 * @_timer: the &struct drm_dev_ctx_timer, zeroed, or ended with drm_dev_ctx_timer_fini()
 * @_live: proof that there is registration data
 * @_fn: the handler, which says what it needs:
 *	a void function of a ``const struct drm_dev_ctx_reg *`` or a
 *	``const struct drm_dev_ctx_live *``, a ``struct drm_dev_ctx_data *``, and a
 *	``struct drm_dev_ctx_timer *``
 *
 * As drm_dev_ctx_work_init(); the handler does not sleep.
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_timer_init(_timer, _live, _fn)				\
	__drm_dev_ctx_async_init(timer, _timer, _live, _fn)

#endif /* _DRM_DEV_CTX_ASYNC_H */
