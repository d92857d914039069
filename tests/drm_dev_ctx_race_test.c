// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Devices that come and go while other threads use them. The tests are worth
 * something on more than one CPU, and find most under KASAN and lockdep.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <kunit/test.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "drm_dev_ctx.h"
#include "drm_safe_test.h"

#define RACE_ALIVE	0x600d600d

static unsigned int cycles = 200;
module_param(cycles, uint, 0444);
MODULE_PARM_DESC(cycles, "how often each test binds and unbinds (default: 200)");

struct race_dev {
	struct drm_dev_ctx ctx;
};

struct race_hw {
	struct drm_dev_ctx_data base;
	u32 alive;
	atomic_t users;
	struct race *race;
};

struct race_file {
	u32 alive;
};

/* Proof that a struct race_dev is registered */
struct race_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct race_dev *race_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct race_dev, ctx);
}

static inline struct race_hw *race_reg_data(const struct race_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct race_hw, base);
}

/*
 * Invariants:
 *
 * - @drm is a reference, held and exchanged under @lock.
 */
struct race {
	spinlock_t lock;	/* @drm */
	struct drm_device *drm;
	wait_queue_head_t published;
	struct task_struct *threads[6];
	int nthreads;

	atomic_t entered, refused;
	atomic_t opened, not_opened;
	atomic_t ended, not_ended;
	atomic_t quiesced, released;
	atomic_t wrong;
};

/* The checks for every place that has a proof */
static void race_check(struct race *race, const struct race_reg *reg)
{
	struct race_hw *hw = race_reg_data(reg);

	if (hw->alive != RACE_ALIVE || !drm_dev_ctx_bound_parent(&reg->base.bound)->driver)
		atomic_inc(&race->wrong);
	atomic_inc(&hw->users);
	if (get_random_u32_below(8) == 0)
		cond_resched();
	else
		udelay(get_random_u32_below(20));
	if (hw->alive != RACE_ALIVE)
		atomic_inc(&race->wrong);
	atomic_dec(&hw->users);
}

struct race_args {
	u64 race;
};

#define DRM_IOCTL_RACE_CHECK	DRM_IOW(DRM_COMMAND_BASE, struct race_args)

static int race_ioctl_check(const struct race_reg *reg, struct race_args *args,
			    struct drm_file *drm_file)
{
	struct race_file *file = drm_file->driver_priv;
	struct race *race = (struct race *)(uintptr_t)args->race;

	if (file->alive != RACE_ALIVE)
		atomic_inc(&race->wrong);
	race_check(race, reg);
	return 0;
}

DRM_DEV_CTX_IOCTL(RACE_CHECK, race_ioctl_check, race_reg, struct race_args);

DRM_DEV_CTX_IOCTLS(race_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(RACE_CHECK, DRM_RENDER_ALLOW),
};

static int race_open(struct drm_device *drm, struct drm_file *drm_file)
{
	struct race_file *file;

	drm_dev_ctx_or(race_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);

	file = kzalloc_obj(*file);
	if (!file)
		return -ENOMEM;
	file->alive = race_reg_data(reg)->alive;
	drm_file->driver_priv = file;
	return 0;
}

static void race_postclose(struct drm_device *drm, struct drm_file *drm_file)
{
	struct race_file *file = drm_file->driver_priv;

	file->alive = 0;
	kfree(file);
}

DEFINE_DRM_GEM_FOPS(race_fops);

static const struct drm_driver race_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &race_fops,
	.name = "race",
	.desc = "drm_dev_ctx race test",
	.open = race_open,
	.postclose = race_postclose,
	.ioctls = race_ioctls,
	.num_ioctls = ARRAY_SIZE(race_ioctls),
};

static void race_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct race_hw *hw = container_of(data, struct race_hw, base);

	if (atomic_read(&hw->users) || !drm_dev_ctx_bound_parent(bound)->driver)
		atomic_inc(&hw->race->wrong);
	hw->alive = 0;
	atomic_inc(&hw->race->quiesced);
}

static void race_release(struct drm_dev_ctx_data *data)
{
	struct race_hw *hw = container_of(data, struct race_hw, base);

	if (hw->alive)
		atomic_inc(&hw->race->wrong);
	atomic_inc(&hw->race->released);
	kfree(hw);
}

static const struct drm_dev_ctx_ops race_reg_ops = {
	.quiesce = race_quiesce,
	.release = race_release,
};

/* The device of the moment, with a reference, or NULL if it is gone */
static struct drm_device *race_get(struct race *race)
{
	guard(spinlock)(&race->lock);
	if (!race->drm || drm_dev_is_unplugged(race->drm))
		return NULL;
	drm_dev_get(race->drm);
	return race->drm;
}

/*
 * The next device, with a reference, or NULL when it is time to end. Threads
 * sleep while there is none: a CPU that only spins is one less to race on.
 */
static struct drm_device *race_next(struct race *race)
{
	struct drm_device *drm = NULL;

	wait_event_idle(race->published, kthread_should_stop() || (drm = race_get(race)));
	return drm;
}

static void race_publish(struct race *race, struct drm_device *drm)
{
	struct drm_device *old;

	if (drm)
		drm_dev_get(drm);
	scoped_guard(spinlock, &race->lock) {
		old = race->drm;
		race->drm = drm;
	}
	if (old)
		drm_dev_put(old);
	wake_up_all(&race->published);
}

static void race_enter_once(struct race *race, struct drm_device *drm)
{
	bool entered = false;

	drm_dev_ctx_guard(race_reg, reg, to_drm_dev_ctx(drm)) {
		entered = true;
		race_check(race, reg);
	}
	atomic_inc(entered ? &race->entered : &race->refused);
}

static void race_file_once(struct race *race, struct drm_device *drm)
{
	struct race_args args = { .race = (uintptr_t)race };
	struct file *filp = drm_safe_file_open(drm->render);
	long ret;

	if (IS_ERR(filp)) {
		if (PTR_ERR(filp) != -ENODEV)
			atomic_inc(&race->wrong);
		atomic_inc(&race->not_opened);
		return;
	}
	atomic_inc(&race->opened);
	for (int i = 0; i < 3; i++) {
		ret = drm_ioctl_kernel(filp, race_ioctls[0].func, &args, race_ioctls[0].flags);
		if (ret && ret != -ENODEV)
			atomic_inc(&race->wrong);
	}
	drm_safe_file_close(filp);
}

/* Use each device from before its registration until after its end. */
static int race_use(struct race *race, void (*once)(struct race *race, struct drm_device *drm))
{
	struct drm_device *drm;

	while ((drm = race_next(race))) {
		while (!drm_dev_is_unplugged(drm) && !kthread_should_stop()) {
			once(race, drm);
			cond_resched();
		}
		once(race, drm);
		drm_dev_put(drm);
	}
	return 0;
}

static int race_enter_thread(void *data)
{
	return race_use(data, race_enter_once);
}

static int race_file_thread(void *data)
{
	return race_use(data, race_file_once);
}

static int race_unregister_thread(void *data)
{
	struct race *race = data;
	struct drm_device *drm;
	int ret;

	while ((drm = race_next(race))) {
		usleep_range(1, 3000);
		ret = drm_dev_ctx_unregister(to_drm_dev_ctx(drm));
		if (ret && ret != -ENODEV)
			atomic_inc(&race->wrong);
		atomic_inc(ret ? &race->not_ended : &race->ended);
		drm_dev_put(drm);
	}
	return 0;
}

static void race_stop(void *data)
{
	struct race *race = data;

	while (race->nthreads)
		kthread_stop(race->threads[--race->nthreads]);
	race_publish(race, NULL);
}

static struct race *race_new(struct kunit *test)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	spin_lock_init(&race->lock);
	init_waitqueue_head(&race->published);
	return race;
}

static void race_start(struct kunit *test, struct race *race, int (*fn)(void *data))
{
	struct task_struct *task = kthread_run(fn, race, "race/%d", race->nthreads);

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	race->threads[race->nthreads++] = task;
}

static struct race_hw *race_hw_new(struct kunit *test, struct race *race)
{
	struct race_hw *hw = kzalloc_obj(*hw);

	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->alive = RACE_ALIVE;
	hw->race = race;
	return hw;
}

/* Once in each test, the device exists until the other threads have done their work. */
static void race_live(const atomic_t *done)
{
	usleep_range(1, 2000);
	for (int i = 0; i < 10000 && !atomic_read(done); i++)
		usleep_range(1000, 2000);
}

/* Bind, register, live for a moment, unbind, again and again. */
static void race_run(struct kunit *test, struct race *race, const atomic_t *done)
{
	struct device *parent = drm_safe_test_parent(test);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, race_stop, race), 0);
	for (unsigned int i = 0; i < cycles; i++) {
		struct drm_dev_ctx_unreg *unreg =
			drm_dev_ctx_alloc(parent, &race_driver, struct race_dev, ctx);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, unreg);
		/* Others have it before it is registered, and after. */
		race_publish(race, drm_dev_ctx_bound_drm(&unreg->bound));
		KUNIT_EXPECT_EQ(test,
				drm_dev_ctx_register(parent, &unreg, &race_reg_ops,
						     &race_hw_new(test, race)->base),
				0);
		race_live(done);
		drm_safe_test_rebind(test, parent);
		if (i % 2)
			race_publish(race, NULL);
	}
	kunit_release_action(test, race_stop, race);

	KUNIT_EXPECT_EQ(test, atomic_read(&race->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->quiesced), cycles);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->released), cycles);
}

static void drm_dev_ctx_race_test_enter(struct kunit *test)
{
	struct race *race = race_new(test);

	race_start(test, race, race_enter_thread);
	race_start(test, race, race_enter_thread);
	race_start(test, race, race_enter_thread);
	race_run(test, race, &race->entered);
	KUNIT_EXPECT_GT(test, atomic_read(&race->entered), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race->refused), 0);
	kunit_info(test, "entered %d, refused %d", atomic_read(&race->entered),
		   atomic_read(&race->refused));
}

static void drm_dev_ctx_race_test_file(struct kunit *test)
{
	struct race *race = race_new(test);

	race_start(test, race, race_file_thread);
	race_start(test, race, race_file_thread);
	race_start(test, race, race_enter_thread);
	race_run(test, race, &race->opened);
	KUNIT_EXPECT_GT(test, atomic_read(&race->opened), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race->not_opened), 0);
	kunit_info(test, "opened %d, refused %d", atomic_read(&race->opened),
		   atomic_read(&race->not_opened));
}

static void drm_dev_ctx_race_test_unregister(struct kunit *test)
{
	struct race *race = race_new(test);

	race_start(test, race, race_unregister_thread);
	race_start(test, race, race_unregister_thread);
	race_start(test, race, race_enter_thread);
	race_start(test, race, race_file_thread);
	race_run(test, race, &race->ended);
	KUNIT_EXPECT_GT(test, atomic_read(&race->ended), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race->not_ended), 0);
	kunit_info(test, "ended by others %d, refused %d", atomic_read(&race->ended),
		   atomic_read(&race->not_ended));
}

static struct kunit_case drm_dev_ctx_race_tests[] = {
	KUNIT_CASE_ATTR(drm_dev_ctx_race_test_enter, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(drm_dev_ctx_race_test_file, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(drm_dev_ctx_race_test_unregister, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

static struct kunit_suite drm_dev_ctx_race_suite = {
	.name = "drm_dev_ctx_race",
	.test_cases = drm_dev_ctx_race_tests,
};

kunit_test_suite(drm_dev_ctx_race_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: races of device contexts");
MODULE_LICENSE("Dual MIT/GPL");
