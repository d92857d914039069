/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Work items, timers, threads and interrupts that belong to a registration. This is a layer
 * on top of drm_dev_ctx.h, which only knows struct drm_dev_ctx_async.
 */
#ifndef _DRM_DEV_CTX_ASYNC_H
#define _DRM_DEV_CTX_ASYNC_H

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/lockdep_types.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "drm_dev_ctx.h"

/**
 * struct drm_dev_ctx_work - a work item that belongs to a registration
 *
 * Embedded in the registration data, or in something that is freed before the &struct drm_device.
 * It may be queued with a delay, and its handler may queue it again.
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
	/* The workqueue of a call while held back; protected by &drm_dev_ctx.__async_lock */
	struct workqueue_struct *__held;
	unsigned long __delay;
};

/**
 * struct drm_dev_ctx_timer - a timer that belongs to a registration
 *
 * Embedded in the registration data, or in something that is freed before the &struct drm_device.
 * Its handler may start it again.
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
	/* Whether the timer was started while held back, and its expiry; under the same lock */
	bool __held;
	unsigned long __expires;
};

/**
 * struct drm_dev_ctx_hrtimer - a high-resolution timer that belongs to a registration
 *
 * Embedded in the registration data, or in something that is freed before the &struct drm_device.
 *
 * Invariants:
 *
 * - @__held, @__over and the three members after them are protected by
 *   &drm_dev_ctx.__async_lock. No call starts @__timer while @__over is set.
 */
struct drm_dev_ctx_hrtimer {
	/* private: */
	struct drm_dev_ctx_async __async;
	struct hrtimer __timer;
	union {
		enum hrtimer_restart (*__reg)(const struct drm_dev_ctx_reg *reg,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_hrtimer *timer);
		enum hrtimer_restart (*__live)(const struct drm_dev_ctx_live *live,
					       struct drm_dev_ctx_data *data,
					       struct drm_dev_ctx_hrtimer *timer);
	};
	bool __over;
	/* Whether the timer was started while held back, and its expiry */
	bool __held;
	ktime_t __expires;
	u64 __range_ns;
	enum hrtimer_mode __mode;
};

/**
 * struct drm_dev_ctx_kthread - a thread that belongs to a registration
 *
 * Embedded in the registration data, or in something that is freed before the &struct drm_device.
 */
struct drm_dev_ctx_kthread {
	/* private: */
	struct drm_dev_ctx_async __async;
	/* Holds a reference; NULL once stopped; protected by &drm_dev_ctx.__async_lock */
	struct task_struct *__task;
	void (*__live)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		       struct drm_dev_ctx_kthread *kthread);
};

struct drm_dev_ctx_irq;

/**
 * struct drm_dev_ctx_irq_ops - the handlers of an interrupt
 *
 * A driver may leave out one of the two. Other code waits for interrupts, so both handlers
 * run until after quiesce, and must not open a section.
 */
struct drm_dev_ctx_irq_ops {
	/**
	 * @handler:
	 *
	 * Like the handler of request_threaded_irq(). On a shared line, the kernel can call
	 * this until the release step, even if the device raises no interrupt.
	 */
	irqreturn_t (*handler)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			       struct drm_dev_ctx_irq *irq);

	/**
	 * @thread:
	 *
	 * Like the thread function of request_threaded_irq().
	 */
	irqreturn_t (*thread)(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_irq *irq);
};

/**
 * struct drm_dev_ctx_irq - an interrupt that belongs to a registration
 *
 * Embedded in the registration data, or in something that is freed before the &struct drm_device.
 */
struct drm_dev_ctx_irq {
	/* private: */
	struct drm_dev_ctx_async __async;
	const struct drm_dev_ctx_irq_ops *__ops;
	unsigned int __irq;
	struct task_struct *__handler_task;	/* while @__ops->handler runs in a task */
	struct task_struct *__thread_task;	/* while @__ops->thread runs */
};

void __drm_dev_ctx_work_init_reg(struct drm_dev_ctx_work *work,
				 const struct drm_dev_ctx_live *live,
				 void (*fn)(const struct drm_dev_ctx_reg *reg,
					    struct drm_dev_ctx_data *data,
					    struct drm_dev_ctx_work *work),
				 struct lock_class_key *key) __nonnull_args(2);
void __drm_dev_ctx_work_init_live(struct drm_dev_ctx_work *work,
				  const struct drm_dev_ctx_live *live,
				  void (*fn)(const struct drm_dev_ctx_live *live,
					     struct drm_dev_ctx_data *data,
					     struct drm_dev_ctx_work *work),
				  struct lock_class_key *key) __nonnull_args(2);
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
				  struct lock_class_key *key, const char *name) __nonnull_args(2);
void __drm_dev_ctx_timer_init_live(struct drm_dev_ctx_timer *timer,
				   const struct drm_dev_ctx_live *live,
				   void (*fn)(const struct drm_dev_ctx_live *live,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_timer *timer),
				   struct lock_class_key *key, const char *name) __nonnull_args(2);
bool drm_dev_ctx_timer_mod(struct drm_dev_ctx_timer *timer, unsigned long expires);
bool drm_dev_ctx_timer_delete_sync(struct drm_dev_ctx_timer *timer);
void drm_dev_ctx_timer_fini(struct drm_dev_ctx_timer *timer);

void __drm_dev_ctx_hrtimer_init_reg(struct drm_dev_ctx_hrtimer *timer,
				    const struct drm_dev_ctx_live *live,
				    enum hrtimer_restart (*fn)(const struct drm_dev_ctx_reg *reg,
							       struct drm_dev_ctx_data *data,
							       struct drm_dev_ctx_hrtimer *timer),
				    clockid_t clock_id, enum hrtimer_mode mode) __nonnull_args(2);
void __drm_dev_ctx_hrtimer_init_live(struct drm_dev_ctx_hrtimer *timer,
				     const struct drm_dev_ctx_live *live,
				     enum hrtimer_restart (*fn)(const struct drm_dev_ctx_live *live,
								struct drm_dev_ctx_data *data,
								struct drm_dev_ctx_hrtimer *timer),
				     clockid_t clock_id, enum hrtimer_mode mode) __nonnull_args(2);
void drm_dev_ctx_hrtimer_start(struct drm_dev_ctx_hrtimer *timer, ktime_t expires, u64 range_ns,
			       enum hrtimer_mode mode);
u64 drm_dev_ctx_hrtimer_forward_now(struct drm_dev_ctx_hrtimer *timer, ktime_t interval);
bool drm_dev_ctx_hrtimer_cancel(struct drm_dev_ctx_hrtimer *timer);
void drm_dev_ctx_hrtimer_fini(struct drm_dev_ctx_hrtimer *timer);

int drm_dev_ctx_kthread_run(struct drm_dev_ctx_kthread *kthread,
			    const struct drm_dev_ctx_live *live,
			    void (*fn)(const struct drm_dev_ctx_live *live,
				       struct drm_dev_ctx_data *data,
				       struct drm_dev_ctx_kthread *kthread),
			    const char *name) __must_check __nonnull_args(2);
bool drm_dev_ctx_kthread_wake_up(struct drm_dev_ctx_kthread *kthread);
void drm_dev_ctx_kthread_stop(struct drm_dev_ctx_kthread *kthread);

int drm_dev_ctx_irq_request(struct drm_dev_ctx_irq *irq, const struct drm_dev_ctx_live *live,
			    unsigned int nr, const struct drm_dev_ctx_irq_ops *ops,
			    unsigned long flags, const char *name) __must_check __nonnull_args(2);
void drm_dev_ctx_irq_synchronize(struct drm_dev_ctx_irq *irq);
void drm_dev_ctx_irq_free(struct drm_dev_ctx_irq *irq);

/* Calls one of two functions, depending on the proof that the handler @_fn takes. */
#define __drm_dev_ctx_async_init(_what, _async, _live, _fn, _name...)		\
	_Generic((_fn),								\
		 void (*)(const struct drm_dev_ctx_reg *, struct drm_dev_ctx_data *, \
			  struct drm_dev_ctx_##_what *):			\
			 __drm_dev_ctx_##_what##_init_reg,			\
		 void (*)(const struct drm_dev_ctx_live *, struct drm_dev_ctx_data *, \
			  struct drm_dev_ctx_##_what *):			\
			 __drm_dev_ctx_##_what##_init_live)			\
	(_async, _live, _fn, ({							\
		static struct lock_class_key __key;				\
										\
		&__key;								\
	}), ##_name)

/**
 * drm_dev_ctx_work_init() - prepare a work item that belongs to a registration
 * @_work: the &struct drm_dev_ctx_work, zeroed, or ended with drm_dev_ctx_work_fini()
 * @_live: proof that there is registration data
 * @_fn: the handler, whose type says what it needs:
 *	a void function of a ``const struct drm_dev_ctx_reg *`` or a
 *	``const struct drm_dev_ctx_live *``, a ``struct drm_dev_ctx_data *``, and a
 *	``struct drm_dev_ctx_work *``
 *
 * A handler that takes a &struct drm_dev_ctx_reg is called in a section. The handler runs
 * neither before the device is registered nor after it was unplugged. A work item that is
 * queued before registration runs once the device is registered, or never if registration
 * fails. A handler that takes a &struct drm_dev_ctx_live may run until after
 * quiesce, and is for completers, which end the waits of others. The library cancels both
 * kinds, waits for them, and makes sure that they are not queued again.
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_work_init(_work, _live, _fn)				\
	__drm_dev_ctx_async_init(work, _work, _live, _fn)

/**
 * drm_dev_ctx_timer_init() - prepare a timer that belongs to a registration
 * @_timer: the &struct drm_dev_ctx_timer, zeroed, or ended with drm_dev_ctx_timer_fini()
 * @_live: proof that there is registration data
 * @_fn: the handler, whose type says what it needs:
 *	a void function of a ``const struct drm_dev_ctx_reg *`` or a
 *	``const struct drm_dev_ctx_live *``, a ``struct drm_dev_ctx_data *``, and a
 *	``struct drm_dev_ctx_timer *``
 *
 * Like drm_dev_ctx_work_init(); the handler does not sleep.
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_timer_init(_timer, _live, _fn)				\
	__drm_dev_ctx_async_init(timer, _timer, _live, _fn, #_timer)

/**
 * drm_dev_ctx_hrtimer_init() - prepare a high-resolution timer that belongs to a registration
 * @_timer: the &struct drm_dev_ctx_hrtimer, zeroed, or ended with drm_dev_ctx_hrtimer_fini()
 * @_live: proof that there is registration data
 * @_fn: the handler, whose type says what it needs:
 *	an ``enum hrtimer_restart`` function of a ``const struct drm_dev_ctx_reg *`` or a
 *	``const struct drm_dev_ctx_live *``, a ``struct drm_dev_ctx_data *``, and a
 *	``struct drm_dev_ctx_hrtimer *``
 * @_clock_id: as for hrtimer_setup(): CLOCK_MONOTONIC, for example
 * @_mode: as for hrtimer_setup()
 *
 * Like drm_dev_ctx_work_init(); the handler does not sleep.
 *
 * Context: Any but NMI.
 */
#define drm_dev_ctx_hrtimer_init(_timer, _live, _fn, _clock_id, _mode)		\
	_Generic((_fn),								\
		 enum hrtimer_restart (*)(const struct drm_dev_ctx_reg *,	\
					  struct drm_dev_ctx_data *,		\
					  struct drm_dev_ctx_hrtimer *):	\
			 __drm_dev_ctx_hrtimer_init_reg,			\
		 enum hrtimer_restart (*)(const struct drm_dev_ctx_live *,	\
					  struct drm_dev_ctx_data *,		\
					  struct drm_dev_ctx_hrtimer *):	\
			 __drm_dev_ctx_hrtimer_init_live)			\
	(_timer, _live, _fn, _clock_id, _mode)

#endif /* _DRM_DEV_CTX_ASYNC_H */
