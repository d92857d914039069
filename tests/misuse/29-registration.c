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
// wrong: TESTED_FOR_NULL C: foo_dev_alloc\(\) returns an ERR_PTR\(\) and never NULL
// wrong: DATA_FREED C: 'hw' belongs to the registration since line \d+
// wrong: DEVICE_AS_TOKEN B: incompatible|lvalue
// run: drm_dev_ctx.drm_dev_ctx_test_early: no section opens before the registration data is published
// run: drm_dev_ctx.drm_dev_ctx_test_wrong_parent: -EINVAL, the token is used up
// run: drm_dev_ctx.drm_dev_ctx_test_token_twice: a token whose use is not seen is reported

#include "foo.h"

int foo_probe(struct device *dev)
{
	struct foo_unreg *unreg __free(foo_unreg) = foo_dev_alloc(dev, &foo_driver);
	struct foo_hw *hw;
	int ret;

#if defined(TESTED_FOR_NULL)
	if (!unreg)
		return -ENOMEM;
#else
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
#endif

	INIT_WORK(&foo_unreg_dev(unreg)->hangcheck, NULL);
	hw = foo_hw_init(&unreg->bound, foo_unreg_dev(unreg));
	if (IS_ERR(hw))
		return PTR_ERR(hw);

#if defined(DATA_BEFORE_REGISTRATION)
	foo_hw_free(foo_reg_data(unreg));
#elif defined(HARDWARE_BEFORE_REGISTRATION)
	foo_hw_submit(unreg, 0);
#elif defined(OTHER_DATA)
	return drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, dev);
#elif defined(OTHER_OPS)
	return drm_dev_ctx_register(foo, dev, unreg, &foo_driver, hw);
#elif defined(DEVICE_AS_TOKEN)
	struct foo_device *foo = foo_unreg_dev(unreg);

	return drm_dev_ctx_register(foo, dev, foo, &foo_reg_ops, hw);
#elif defined(RAW_REGISTER)
	return drm_dev_register(&foo_unreg_dev(unreg)->drm, 0);
#elif defined(NOT_CHECKED)
	drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
	return 0;
#endif
	ret = drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
#if defined(SET_UP_AFTER_REGISTRATION)
	INIT_WORK(&foo_unreg_dev(unreg)->hangcheck, NULL);
#elif defined(REGISTERED_TWICE)
	ret = drm_dev_ctx_register(foo, dev, unreg, &foo_reg_ops, hw);
#elif defined(DATA_FREED)
	if (ret)
		foo_hw_free(hw);
#endif
	return ret;
}
