// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 29
// title: device registered before it is ready
// rust: b
// wrong: SET_UP_AFTER_REGISTRATION B: this token was used up before
// wrong: REGISTERED_TWICE B: this token was used up before
// wrong: NOT_CHECKED W: ignoring return value
// wrong: RAW_REGISTER C: drm_dev_register\(\) goes behind the contexts
// wrong: DATA_BEFORE_REGISTRATION B: incompatible pointer
// wrong: HARDWARE_BEFORE_REGISTRATION B: incompatible pointer
// wrong: OTHER_DATA B: incompatible pointer
// wrong: OTHER_OPS B: incompatible pointer
// wrong: BAR_OPS C: the registered data is a struct foo_hw
// wrong: BAR_DATA C: the registered data is a struct bar_hw
// wrong: TESTED_FOR_NULL C: drm_dev_ctx_alloc\(\) returns an ERR_PTR\(\) and never NULL
// wrong: DATA_FREED C: 'hw' belongs to the registration since line \d+
// wrong: NO_CONTEXTS B: must be a struct drm_dev_ctx
// wrong: DEVICE_AS_TOKEN B: incompatible|lvalue
// checked: TESTED_FOR_NULL: A driver tests an ERR_PTR() for NULL.
// checked: DATA_FREED: A driver frees its registration data again, after drm_dev_ctx_register() has failed and freed it.
// run: drm_dev_ctx.drm_dev_ctx_test_early: No section opens before the registration data is published.
// run: drm_dev_ctx.drm_dev_ctx_test_wrong_parent: The call gives -EINVAL and uses up the token.
// run: drm_dev_ctx.drm_dev_ctx_test_token_twice: A second use of a token that the compiler cannot see is reported.

#include "foo.h"

#if defined(NO_CONTEXTS)
struct foo_raw_device {
	struct drm_device ctx;
};

#define foo_device foo_raw_device
#endif

/* Registration data of another kind of device */
struct bar_hw {
	struct drm_dev_ctx_data base;
	struct work_struct poll;
};

#if defined(BAR_OPS)
static void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	cancel_work_sync(&container_of(data, struct bar_hw, base)->poll);
}
#else
static void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	cancel_work_sync(&container_of(data, struct foo_hw, base)->reset);
}
#endif

static const struct drm_dev_ctx_ops foo_own_ops = {
	.quiesce = foo_quiesce,
};

#if defined(BAR_DATA)
int foo_register(struct device *dev, struct bar_hw *hw)
#else
int foo_register(struct device *dev, struct foo_hw *hw)
#endif
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);

	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	return drm_dev_ctx_register(dev, &unreg, &foo_own_ops, &hw->base);
}

int foo_probe(struct device *dev)
{
	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &foo_driver, struct foo_device, ctx);
	struct foo_hw *hw;
	int ret;

#if defined(TESTED_FOR_NULL)
	if (!unreg)
		return -ENOMEM;
#else
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#endif

	INIT_WORK(&foo_dev(drm_dev_ctx_unreg_drm(unreg))->hangcheck, NULL);
	hw = foo_hw_init(&unreg->bound, foo_dev(drm_dev_ctx_unreg_drm(unreg)));
	if (IS_ERR(hw))
		return PTR_ERR(hw);

#if defined(DATA_BEFORE_REGISTRATION)
	foo_hw_free(foo_reg_data(unreg));
#elif defined(HARDWARE_BEFORE_REGISTRATION)
	foo_hw_submit(unreg, 0);
#elif defined(OTHER_DATA)
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, dev);
#elif defined(OTHER_OPS)
	return drm_dev_ctx_register(dev, &unreg, &foo_driver, &hw->base);
#elif defined(DEVICE_AS_TOKEN)
	struct foo_device *foo = foo_dev(drm_dev_ctx_unreg_drm(unreg));

	return drm_dev_ctx_register(dev, &foo, &foo_reg_ops, &hw->base);
#elif defined(RAW_REGISTER)
	return drm_dev_register(drm_dev_ctx_unreg_drm(unreg), 0);
#elif defined(NOT_CHECKED)
	drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
	return 0;
#endif
	ret = drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
#if defined(SET_UP_AFTER_REGISTRATION)
	INIT_WORK(&foo_dev(drm_dev_ctx_unreg_drm(unreg))->hangcheck, NULL);
#elif defined(REGISTERED_TWICE)
	ret = drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &hw->base);
#elif defined(DATA_FREED)
	if (ret)
		foo_hw_free(hw);
#endif
	return ret;
}
