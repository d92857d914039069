// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Random changes of a few devices, some on the same parent, compared with a model of
 * their states. The model changes first, so a callback can check whether it is due.
 * After each change, all due callbacks must have run.
 */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "drm_dev_ctx_internal.h"
#include "drm_safe_test.h"

#define MODEL_PARENTS	3
#define MODEL_SLOTS	6
#define MODEL_REVS	5
/* The last of a device is added by quiesce. */
#define MODEL_LATE	(MODEL_REVS - 1)
#define MODEL_FILES	2
#define MODEL_REFS	3

/* Debug kernels take many times longer for each. */
#define MODEL_OPS	(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_LOCKDEP) ? \
			 1000 : 8000)

/* On the kernel's command line: drm_dev_ctx_model_test.model_ops=1000000 */
static unsigned int model_ops = MODEL_OPS;
module_param(model_ops, uint, 0444);
MODULE_PARM_DESC(model_ops, "how many random changes are made");

static unsigned int model_seed = 0x64657663;
module_param(model_seed, uint, 0444);
MODULE_PARM_DESC(model_seed, "what makes the random changes others");

enum model_state {
	MODEL_NONE,
	MODEL_UNREGISTERED,
	MODEL_DROPPED,
	MODEL_REGISTERED,
	MODEL_ENDED,
};

/* How often something was called, and how often it should have been */
struct model_count {
	unsigned int is;
	unsigned int due;
};

struct model_rev {
	struct drm_dev_ctx_revocable rev;
	struct model_slot *slot;
	bool used;
	bool listed;
	struct model_count revoked;
};

/* A device, and one after the other; the counts are of all of them. */
struct model_slot {
	struct model *model;
	struct device *parent;
	struct drm_device *drm;
	struct drm_dev_ctx_unreg *unreg;
	struct drm_dev_ctx_ioctl *ioctl;
	enum model_state state;
	bool bound;
	struct mdev_hw *attached;	/* the data of a device that is not registered yet */
	u32 data;
	unsigned int refs;
	unsigned int files;
	struct file *file[MODEL_FILES];
	struct model_rev rev[MODEL_REVS];
	struct model_count shutdown;
	struct model_count quiesced;
	struct model_count released;
	struct model_count opened;
	struct model_count closed;
	struct model_count freed;
};

struct model {
	struct kunit *test;
	struct rnd_state rnd;
	struct device *parent[MODEL_PARENTS];
	struct model_slot slot[MODEL_SLOTS];
	u32 registrations;
};

struct mdev {
	struct drm_dev_ctx ctx;
	struct model_slot *slot;
};

struct mdev_hw {
	struct drm_dev_ctx_data base;
	struct model_slot *slot;
	u32 data;
};

/* Proof that a struct mdev is registered */
struct mdev_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct mdev *mdev_dev(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct mdev, ctx);
}

static inline struct mdev_hw *mdev_reg_data(const struct mdev_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct mdev_hw, base);
}

static u32 model_random(struct model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

/* Returns whether it was due. */
static bool model_called(struct model_slot *slot, struct model_count *count)
{
	KUNIT_EXPECT_LT(slot->model->test, count->is, count->due);
	return count->is++ < count->due;
}

static void model_expect_done(struct model_slot *slot, const struct model_count *count)
{
	KUNIT_EXPECT_EQ(slot->model->test, count->is, count->due);
}

/* Returns the registration data's value in a section, or 0 if the section does not open. */
static u32 model_read(struct drm_device *drm)
{
	drm_dev_ctx_or(mdev_reg, reg, to_drm_dev_ctx(drm), return 0);

	return mdev_reg_data(reg)->data;
}

static u32 model_read_ioctl(struct drm_dev_ctx_ioctl *ioctl)
{
	drm_dev_ctx_or(mdev_reg, reg, ioctl, return 0);

	return mdev_reg_data(reg)->data;
}

static bool model_enters_bound(struct drm_device *drm)
{
	bool entered = false;

	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(drm))
		entered = true;
	return entered;
}

static void model_revoke(struct drm_dev_ctx_revocable *rev)
{
	struct model_rev *mrev = container_of(rev, struct model_rev, rev);

	model_called(mrev->slot, &mrev->revoked);
	model_expect_done(mrev->slot, &mrev->slot->released);
}

static bool model_rev_get(struct drm_dev_ctx_revocable *rev)
{
	return true;
}

static const struct drm_dev_ctx_revocable_ops model_rev_ops = {
	.get = model_rev_get,
	.revoke = model_revoke,
};

static bool model_add(struct model_slot *slot, const struct drm_dev_ctx_bound *bound)
{
	struct model_rev *mrev = &slot->rev[model_random(slot->model, MODEL_LATE)];

	if (mrev->listed)
		return false;
	mrev->used = true;
	mrev->listed = true;
	KUNIT_EXPECT_EQ(slot->model->test,
			drm_dev_ctx_revocable_add(bound, &mrev->rev, &model_rev_ops), 0);
	return true;
}

static void model_expect_ending(struct model_slot *slot, struct drm_device *drm)
{
	KUNIT_EXPECT_EQ(slot->model->test, model_read(drm), 0);
	KUNIT_EXPECT_TRUE(slot->model->test, model_enters_bound(drm));
}

static void mdev_kms_shutdown(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data)
{
	struct drm_device *drm = drm_dev_ctx_live_drm(live);
	struct model_slot *slot = mdev_dev(drm)->slot;

	model_called(slot, &slot->shutdown);
	model_expect_ending(slot, drm);
}

static void mdev_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct mdev_hw *hw = container_of(data, struct mdev_hw, base);
	struct model_slot *slot = hw->slot;

	if (!model_called(slot, &slot->quiesced))
		return;
	model_expect_done(slot, &slot->shutdown);
	model_expect_ending(slot, drm_dev_ctx_bound_drm(bound));
	KUNIT_EXPECT_EQ(slot->model->test, 0,
			drm_dev_ctx_revocable_add(bound, &slot->rev[MODEL_LATE].rev,
						  &model_rev_ops));
}

static void mdev_hw_release(struct drm_dev_ctx_data *data)
{
	struct mdev_hw *hw = container_of(data, struct mdev_hw, base);
	struct model_slot *slot = hw->slot;

	model_called(slot, &slot->released);
	model_expect_done(slot, &slot->quiesced);
	kfree(hw);
}

static const struct drm_dev_ctx_ops mdev_reg_ops = {
	.kms_shutdown = mdev_kms_shutdown,
	.quiesce = mdev_quiesce,
	.release = mdev_hw_release,
};

static int mdev_open(struct drm_device *drm, struct drm_file *file)
{
	struct model_slot *slot = mdev_dev(drm)->slot;

	drm_dev_ctx_or(mdev_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);

	KUNIT_EXPECT_PTR_EQ(slot->model->test, slot, mdev_reg_data(reg)->slot);
	model_called(slot, &slot->opened);
	slot->ioctl = drm_dev_ctx_reg_ioctl(&reg->base);
	return 0;
}

static void mdev_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct model_slot *slot = mdev_dev(drm)->slot;

	model_called(slot, &slot->closed);
}

static void mdev_release(struct drm_device *drm)
{
	struct model_slot *slot = mdev_dev(drm)->slot;

	model_called(slot, &slot->freed);
	model_expect_done(slot, &slot->released);
	model_expect_done(slot, &slot->closed);
	for (int i = 0; i < MODEL_REVS; i++)
		model_expect_done(slot, &slot->rev[i].revoked);
}

DEFINE_DRM_GEM_FOPS(mdev_fops);

static const struct drm_driver mdev_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
	.fops = &mdev_fops,
	.name = "mdev",
	.desc = "drm_dev_ctx model test",
	.open = mdev_open,
	.postclose = mdev_postclose,
	.release = mdev_release,
};

/* The device goes with the last that holds it. */
static void model_let_go(struct model_slot *slot)
{
	if (slot->bound || slot->refs || slot->files)
		return;
	slot->freed.due++;
	slot->state = MODEL_NONE;
	slot->drm = NULL;
	slot->ioctl = NULL;
}

/* The common part of the end of a registration and of a registration that fails */
static void model_end_data(struct model_slot *slot)
{
	slot->state = MODEL_ENDED;
	slot->attached = NULL;
	slot->data = 0;
	slot->quiesced.due++;
	slot->released.due++;
	slot->rev[MODEL_LATE].used = true;
	slot->rev[MODEL_LATE].listed = true;
}

static void model_end_registration(struct model_slot *slot)
{
	slot->shutdown.due++;
	model_end_data(slot);
}

static bool model_alloc(struct model_slot *slot)
{
	struct model *model = slot->model;
	struct device *parent = model->parent[model_random(model, MODEL_PARENTS)];
	struct drm_dev_ctx_unreg *unreg;

	if (slot->state != MODEL_NONE)
		return false;
	unreg = drm_dev_ctx_alloc(parent, &mdev_driver, struct mdev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(model->test, unreg);
	mdev_dev(drm_dev_ctx_unreg_drm(unreg))->slot = slot;
	slot->parent = parent;
	slot->drm = drm_dev_ctx_bound_drm(&unreg->bound);
	slot->unreg = unreg;
	slot->state = MODEL_UNREGISTERED;
	slot->bound = true;
	for (int i = 0; i < MODEL_REVS; i++) {
		slot->rev[i].rev = (struct drm_dev_ctx_revocable){};
		slot->rev[i].used = false;
	}
	return true;
}

static struct mdev_hw *model_hw_new(struct model_slot *slot)
{
	struct model *model = slot->model;
	struct mdev_hw *hw = kzalloc_obj(*hw);

	KUNIT_ASSERT_NOT_NULL(model->test, hw);
	hw->slot = slot;
	hw->data = ++model->registrations;
	return hw;
}

static bool model_attach(struct model_slot *slot)
{
	const struct drm_dev_ctx_live *live;
	struct mdev_hw *hw;

	if (slot->state != MODEL_UNREGISTERED || slot->attached)
		return false;
	hw = model_hw_new(slot);
	live = drm_dev_ctx_attach(slot->unreg, &mdev_reg_ops, &hw->base);
	KUNIT_ASSERT_FALSE(slot->model->test, IS_ERR(live));
	KUNIT_EXPECT_PTR_EQ(slot->model->test, drm_dev_ctx_live_data(live), &hw->base);
	slot->attached = hw;
	return true;
}

static bool model_register(struct model_slot *slot)
{
	struct model *model = slot->model;
	struct device *parent = model->parent[model_random(model, MODEL_PARENTS)];
	struct drm_dev_ctx_unreg *unreg = slot->unreg;
	struct mdev_hw *hw;
	int ret;

	if (slot->state != MODEL_UNREGISTERED)
		return false;
	hw = slot->attached ?: model_hw_new(slot);

	/* Now and then on a parent that may be another's */
	if (model_random(model, 8))
		parent = slot->parent;
	if (parent == slot->parent) {
		slot->state = MODEL_REGISTERED;
		slot->data = hw->data;
	} else {
		model_end_data(slot);
	}
	slot->unreg = NULL;
	kunit_warning_suppress(model->test) {
		ret = drm_dev_ctx_register(parent, &unreg, &mdev_reg_ops, &hw->base);
		KUNIT_EXPECT_EQ(model->test, ret, parent == slot->parent ? 0 : -EINVAL);
		EXPECT_BROKEN_TIMES(model->test, ret ? 1 : 0,
				    "a device is registered where it was allocated");
	}
	return true;
}

static bool model_drop(struct model_slot *slot)
{
	struct drm_dev_ctx_unreg *unreg = slot->unreg;

	if (slot->state != MODEL_UNREGISTERED)
		return false;
	if (slot->attached)
		model_end_data(slot);
	slot->state = MODEL_DROPPED;
	slot->unreg = NULL;
	drm_dev_ctx_drop(&unreg);
	return true;
}

static bool model_unregister(struct model_slot *slot)
{
	bool registered = slot->state == MODEL_REGISTERED;

	if (!slot->drm)
		return false;
	if (registered)
		model_end_registration(slot);
	KUNIT_EXPECT_EQ(slot->model->test, drm_dev_ctx_unregister(to_drm_dev_ctx(slot->drm)),
			registered ? 0 : -ENODEV);
	return true;
}

static void model_unbound(struct model_slot *slot)
{
	/* As a probe function does, which cannot keep the token */
	model_drop(slot);
	if (slot->state == MODEL_REGISTERED)
		model_end_registration(slot);
	for (int i = 0; i < MODEL_REVS; i++) {
		if (slot->rev[i].listed)
			slot->rev[i].revoked.due++;
		slot->rev[i].listed = false;
	}
	slot->bound = false;
	model_let_go(slot);
}

static void model_unbind_parent(struct model *model, struct device **parent, bool keep)
{
	for (int i = 0; i < MODEL_SLOTS; i++)
		if (model->slot[i].bound && model->slot[i].parent == *parent)
			model_unbound(&model->slot[i]);

	if (keep) {
		drm_safe_test_rebind(model->test, *parent);
		return;
	}
	drm_safe_test_unbind(model->test, *parent);
	*parent = NULL;
}

static bool model_unbind(struct model_slot *slot)
{
	struct model *model = slot->model;
	struct device **parent = &model->parent[model_random(model, MODEL_PARENTS)];

	model_unbind_parent(model, parent, false);
	*parent = drm_safe_test_parent(model->test);
	return true;
}

static bool model_rebind(struct model_slot *slot)
{
	struct model *model = slot->model;

	model_unbind_parent(model, &model->parent[model_random(model, MODEL_PARENTS)], true);
	return true;
}

KUNIT_DEFINE_ACTION_WRAPPER(model_drm_put, drm_dev_put, struct drm_device *);

static bool model_get(struct model_slot *slot)
{
	struct kunit *test = slot->model->test;

	if (!slot->drm || slot->refs == MODEL_REFS)
		return false;
	slot->refs++;
	drm_dev_get(slot->drm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, model_drm_put, slot->drm), 0);
	return true;
}

static bool model_put(struct model_slot *slot)
{
	struct drm_device *drm = slot->drm;

	if (!slot->refs)
		return false;
	slot->refs--;
	model_let_go(slot);
	kunit_release_action(slot->model->test, model_drm_put, drm);
	return true;
}

static bool model_add_unreg(struct model_slot *slot)
{
	return slot->state == MODEL_UNREGISTERED && model_add(slot, &slot->unreg->bound);
}

static bool model_add_reg(struct model_slot *slot)
{
	if (!slot->drm)
		return false;
	drm_dev_ctx_or(mdev_reg, reg, to_drm_dev_ctx(slot->drm), return false);

	return model_add(slot, &reg->base.bound);
}

static struct model_rev *model_used_rev(struct model_slot *slot)
{
	struct model_rev *mrev = &slot->rev[model_random(slot->model, MODEL_REVS)];

	return slot->drm && mrev->used ? mrev : NULL;
}

static bool model_end_rev(struct model_slot *slot)
{
	struct model_rev *mrev = model_used_rev(slot);
	bool taken;

	if (!mrev)
		return false;
	taken = drm_dev_ctx_revocable_take(to_drm_dev_ctx(slot->drm), &mrev->rev);
	if (taken)
		drm_dev_ctx_revocable_done(to_drm_dev_ctx(slot->drm));
	KUNIT_EXPECT_EQ(slot->model->test, taken, mrev->listed);
	mrev->listed = false;
	return true;
}

static bool model_open(struct model_slot *slot)
{
	struct kunit *test = slot->model->test;
	bool registered = slot->state == MODEL_REGISTERED;
	struct file *filp;

	if (!slot->drm || slot->files == MODEL_FILES)
		return false;
	if (registered)
		slot->opened.due++;
	filp = drm_safe_test_open(test, slot->drm->render);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(filp), registered ? 0 : -ENODEV);
	if (registered)
		slot->file[slot->files++] = filp;
	return true;
}

static bool model_close(struct model_slot *slot)
{
	struct file *filp;

	if (!slot->files)
		return false;
	filp = slot->file[--slot->files];
	slot->closed.due++;
	model_let_go(slot);
	drm_safe_test_close(slot->model->test, filp);
	return true;
}

/* Returns whether the slot is in a state to be changed that way. */
typedef bool model_op_fn(struct model_slot *slot);

static const struct {
	const char *name;
	model_op_fn *fn;
	u32 share;
} model_op[] = {
	{ "alloc", model_alloc, 16 },
	{ "register", model_register, 16 },
	{ "attach", model_attach, 8 },
	{ "drop", model_drop, 4 },
	{ "unregister", model_unregister, 2 },
	{ "unbind", model_unbind, 1 },
	{ "rebind", model_rebind, 1 },
	{ "get", model_get, 4 },
	{ "put", model_put, 8 },
	{ "add to unregistered", model_add_unreg, 12 },
	{ "add to registered", model_add_reg, 12 },
	{ "end", model_end_rev, 12 },
	{ "open", model_open, 6 },
	{ "close", model_close, 8 },
};

/* One that can be done, of a device that it can be done to */
static int model_step(struct model *model)
{
	u32 shares = 0;

	for (int i = 0; i < ARRAY_SIZE(model_op); i++)
		shares += model_op[i].share;

	for (;;) {
		struct model_slot *slot = &model->slot[model_random(model, MODEL_SLOTS)];
		u32 share = model_random(model, shares);
		int op = 0;

		while (share >= model_op[op].share)
			share -= model_op[op++].share;
		if (model_op[op].fn(slot))
			return op;
	}
}

static void model_check_count(struct model_slot *slot, const struct model_count *count,
			      const char *name, int op)
{
	KUNIT_ASSERT_EQ_MSG(slot->model->test, count->is, count->due, "%s of device %zu, after %s",
			    name, slot - slot->model->slot, model_op[op].name);
}

static void model_check_counts(struct model_slot *slot, int op)
{
	model_check_count(slot, &slot->shutdown, "kms_shutdown", op);
	model_check_count(slot, &slot->quiesced, "quiesce", op);
	model_check_count(slot, &slot->released, "release", op);
	model_check_count(slot, &slot->opened, "open", op);
	model_check_count(slot, &slot->closed, "postclose", op);
	model_check_count(slot, &slot->freed, "the end", op);
	for (int i = 0; i < MODEL_REVS; i++)
		model_check_count(slot, &slot->rev[i].revoked, "revocation", op);
}

static void model_check_sections(struct model_slot *slot, int op)
{
	struct kunit *test = slot->model->test;

	if (!slot->drm)
		return;
	KUNIT_ASSERT_EQ_MSG(test, model_read(slot->drm), slot->data, "after %s",
			    model_op[op].name);
	KUNIT_ASSERT_EQ_MSG(test, model_enters_bound(slot->drm),
			    slot->state == MODEL_REGISTERED || slot->attached, "after %s",
			    model_op[op].name);
	if (slot->ioctl)
		KUNIT_ASSERT_EQ_MSG(test, model_read_ioctl(slot->ioctl), slot->data, "after %s",
				    model_op[op].name);
}

static void model_check(struct model *model, int op)
{
	for (int i = 0; i < MODEL_SLOTS; i++) {
		model_check_counts(&model->slot[i], op);
		model_check_sections(&model->slot[i], op);
	}
}

static struct model *model_new(struct kunit *test)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	model->test = test;
	prandom_seed_state(&model->rnd, model_seed);
	for (int i = 0; i < MODEL_PARENTS; i++)
		model->parent[i] = drm_safe_test_parent(test);
	for (int i = 0; i < MODEL_SLOTS; i++) {
		model->slot[i].model = model;
		for (int j = 0; j < MODEL_REVS; j++)
			model->slot[i].rev[j].slot = &model->slot[i];
	}
	return model;
}

/* The files and references last, so that they outlive the binding. */
static void model_end_all(struct model *model)
{
	for (int i = 0; i < MODEL_PARENTS; i++)
		model_unbind_parent(model, &model->parent[i], false);
	for (int i = 0; i < MODEL_SLOTS; i++) {
		while (model_close(&model->slot[i]))
			;
		while (model_put(&model->slot[i]))
			;
		KUNIT_EXPECT_EQ(model->test, model->slot[i].state, MODEL_NONE);
	}
}

static void random_ops(struct kunit *test)
{
	struct model *model = model_new(test);
	unsigned int done[ARRAY_SIZE(model_op)] = {};
	int op = 0;

	for (unsigned int i = 0; i < model_ops; i++) {
		op = model_step(model);
		done[op]++;
		model_check(model, op);
	}
	model_end_all(model);
	model_check(model, op);

	/* Each was there often enough to mean something. */
	for (op = 0; op < ARRAY_SIZE(model_op); op++) {
		kunit_info(test, "%s: %u", model_op[op].name, done[op]);
		KUNIT_EXPECT_GE(test, done[op], model_ops / 200);
	}
}

static struct kunit_case drm_dev_ctx_model_cases[] = {
	KUNIT_CASE_ATTR(random_ops, {.speed = KUNIT_SPEED_VERY_SLOW}),
	{}
};

static struct kunit_suite drm_dev_ctx_model_suite = {
	.name = "drm_dev_ctx_model",
	.test_cases = drm_dev_ctx_model_cases,
};

kunit_test_suite(drm_dev_ctx_model_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: model of device contexts");
MODULE_LICENSE("Dual MIT/GPL");
