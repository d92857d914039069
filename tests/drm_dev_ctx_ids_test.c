// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects that a client names by an id: drm_dev_ctx_ids.c
 */

#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "drm_dev_ctx_ids.h"
#include "drm_safe_test.h"

#define IDS_MAX	4

struct ids_queues {
	DRM_DEV_CTX_IDS(struct ids_queue);
};

struct ids_queue {
	struct drm_dev_ctx_id_obj obj;
	struct ids_test *t;
	u32 value;
};

DRM_DEV_CTX_IDS_TYPE(ids_queue_type, struct ids_queue, obj);

struct ids_dev {
	struct drm_dev_ctx ctx;
};

struct ids_test {
	struct device *parent;
	struct drm_dev_ctx_unreg *unreg;
	struct file *filp;
	struct drm_file *file;
	struct ids_queues queues;
	atomic_t live;
	atomic_t closed;
	atomic_t wrong;		/* unexpected results of a racing thread */
	u32 closed_id;
	u32 told;		/* the reserved id that create() saw */
};

static void ids_queue_close(struct drm_dev_ctx_id_obj *obj)
{
	struct ids_queue *queue = container_of(obj, struct ids_queue, obj);

	queue->t->closed_id = drm_dev_ctx_id_number(obj);
	atomic_inc(&queue->t->closed);
}

static void ids_queue_release(struct drm_dev_ctx_id_obj *obj)
{
	struct ids_queue *queue = container_of(obj, struct ids_queue, obj);

	atomic_dec(&queue->t->live);
	kfree(queue);
}

const struct ids_queue_type ids_queue_type = {
	.base.max = IDS_MAX,
	.base.close = ids_queue_close,
	.base.release = ids_queue_release,
};

static struct ids_queue *ids_queue_new(struct ids_test *t, u32 value)
{
	struct ids_queue *queue = kzalloc_obj(*queue);

	if (!queue)
		return NULL;
	drm_dev_ctx_id_init(&ids_queue_type, queue);
	atomic_inc(&t->live);
	queue->t = t;
	queue->value = value;
	return queue;
}

/* Returns the id, or a negative error code. */
static int ids_create(struct ids_test *t, u32 value)
{
	struct ids_queue *queue;
	int ret;

	drm_dev_ctx_id_reserve_or(slot, &t->queues, ret, return ret);
	t->told = drm_dev_ctx_id_reserved(slot);
	queue = ids_queue_new(t, value);
	if (!queue)
		return -ENOMEM;
	return drm_dev_ctx_id_publish(slot, &queue);
}

static int ids_init(struct kunit *test)
{
	struct ids_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct drm_device *drm;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->parent = drm_safe_test_parent(test);
	t->unreg = drm_dev_ctx_alloc(t->parent, drm_safe_test_driver(), struct ids_dev, ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->unreg);
	drm = drm_dev_ctx_unreg_drm(t->unreg);
	ret = drm_dev_ctx_register(t->parent, &t->unreg, NULL, NULL);
	KUNIT_ASSERT_EQ(test, ret, 0);
	t->filp = drm_safe_test_open(test, drm->render);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->filp);
	t->file = t->filp->private_data;
	drm_dev_ctx_ids_init(&ids_queue_type, &t->queues, t->file);
	return 0;
}

static void ids_exit(struct kunit *test)
{
	struct ids_test *t = test->priv;

	drm_dev_ctx_ids_fini(&t->queues);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
}

/* From the first id on, lookups find each object by its own id, and nothing else. */
static void ids_found(struct kunit *test)
{
	struct ids_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, ids_create(t, 10), 1);
	KUNIT_EXPECT_EQ(test, t->told, 1);
	KUNIT_ASSERT_EQ(test, ids_create(t, 20), 2);
	for (u32 id = 1; id <= 2; id++) {
		struct ids_queue *queue __free(drm_dev_ctx_id) =
			drm_dev_ctx_id_lookup(&t->queues, id);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, queue);
		KUNIT_EXPECT_EQ(test, queue->value, 10 * id);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_number(&queue->obj), id);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 0)), -ENOENT);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 3)), -ENOENT);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, U32_MAX)), -ENOENT);
}

/* A reserved id is neither found nor closed, and is free again if nothing was published. */
static void ids_reserved(struct kunit *test)
{
	struct ids_test *t = test->priv;
	int ret = 0;

	do {
		drm_dev_ctx_id_reserve_or(slot, &t->queues, ret, break);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_reserved(slot), 1);
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 1)), -ENOENT);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), -ENOENT);
		/* The close above left the id reserved. */
		KUNIT_EXPECT_EQ(test, ids_create(t, 1), 2);
		drm_dev_ctx_ids_for_each(queue, &t->queues)
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_number(&queue->obj), 2);
	} while (0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ids_create(t, 1), 1);
}

/* The variable of the creator is empty, because the object may be gone. */
static void ids_published(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *queue = ids_queue_new(t, 1);
	u32 id = 0;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_number(&queue->obj), 0);
	do {
		drm_dev_ctx_id_reserve_or(slot, &t->queues, ret, break);
		id = drm_dev_ctx_id_publish(slot, &queue);
	} while (0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, id, 1);
	KUNIT_EXPECT_NULL(test, READ_ONCE(queue));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, id), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
}

/* A file has so many ids and no more, and the next one as soon as one is closed. */
static void ids_bounded(struct kunit *test)
{
	struct ids_test *t = test->priv;

	for (int i = 1; i <= IDS_MAX; i++)
		KUNIT_ASSERT_EQ(test, ids_create(t, i), i);
	KUNIT_EXPECT_EQ(test, ids_create(t, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), IDS_MAX);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 2), 0);
	KUNIT_EXPECT_EQ(test, ids_create(t, 0), 2);
}

/* Closed once. A reference keeps the object. */
static void ids_closed(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *job;

	KUNIT_ASSERT_EQ(test, ids_create(t, 7), 1);
	job = drm_dev_ctx_id_lookup(&t->queues, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, job);
	drm_dev_ctx_id_get(&job->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 1);
	KUNIT_EXPECT_EQ(test, t->closed_id, 1);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 1)), -ENOENT);
	drm_dev_ctx_id_put(&job->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
	KUNIT_EXPECT_EQ(test, job->value, 7);
	drm_dev_ctx_id_put(&job->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
}

/* The table ends with its file. Jobs may last longer. */
static void ids_end_with_file(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *job;

	KUNIT_ASSERT_EQ(test, ids_create(t, 1), 1);
	KUNIT_ASSERT_EQ(test, ids_create(t, 2), 2);
	job = drm_dev_ctx_id_lookup(&t->queues, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, job);
	drm_dev_ctx_ids_fini(&t->queues);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
	drm_dev_ctx_id_put(&job->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
	/* Does nothing now. */
	drm_dev_ctx_ids_fini(&t->queues);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 2);
}

/* An object whose creation fails is closed and released with its last reference. */
static void ids_never_published(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *queue = ids_queue_new(t, 1);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	drm_dev_ctx_id_get(&queue->obj);
	drm_dev_ctx_id_put(&queue->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 0);
	drm_dev_ctx_id_put(&queue->obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 1);
	KUNIT_EXPECT_EQ(test, t->closed_id, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
}

/* Each object once, also if the block closes ids, or is left. */
static void ids_walked(struct kunit *test)
{
	struct ids_test *t = test->priv;
	u32 sum = 0;

	for (int i = 1; i <= IDS_MAX; i++)
		KUNIT_ASSERT_EQ(test, ids_create(t, i), i);
	drm_dev_ctx_ids_for_each(queue, &t->queues) {
		sum += queue->value;
		if (queue->value == 2)
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 2), 0);
		if (queue->value == 1)
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 3), 0);
	}
	KUNIT_EXPECT_EQ(test, sum, 1 + 2 + 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 2);
	drm_dev_ctx_ids_for_each(queue, &t->queues)
		break;
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 4), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
}

/* A walk goes on after an object that its block keeps. */
static void ids_kept_in_walk(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *kept[IDS_MAX + 1] = {};
	int count = 0;

	for (int i = 1; i <= IDS_MAX; i++)
		KUNIT_ASSERT_EQ(test, ids_create(t, i), i);
	drm_dev_ctx_ids_for_each(queue, &t->queues) {
		kept[count++] = no_free_ptr(queue);
		if (count > IDS_MAX)
			break;
	}
	KUNIT_EXPECT_EQ(test, count, IDS_MAX);
	drm_dev_ctx_ids_fini(&t->queues);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), IDS_MAX);
	for (int i = 0; i < count; i++) {
		if (i < IDS_MAX)
			KUNIT_EXPECT_EQ(test, kept[i]->value, i + 1);
		drm_dev_ctx_id_put(&kept[i]->obj);
	}
}

/* More ids than a node of an xarray has entries */
#define IDS_MANY	((u32)(2 * XA_CHUNK_SIZE))

static const struct ids_queue_type ids_many_type = {
	.base.max = IDS_MANY,
	.base.close = ids_queue_close,
	.base.release = ids_queue_release,
};

static struct ids_queue *ids_many_new(struct ids_test *t)
{
	struct ids_queue *queue = ids_queue_new(t, 7);

	if (queue)
		drm_dev_ctx_id_init(&ids_many_type, queue);
	return queue;
}

static int ids_publish_many(struct ids_test *t, struct ids_queues *queues)
{
	struct ids_queue *queue = ids_many_new(t);
	int ret;

	drm_dev_ctx_id_reserve_or(slot, queues, ret, return ret);
	return drm_dev_ctx_id_publish(slot, &queue);
}

/*
 * All objects but one go while its id is reserved, and with them most of the table's memory. The
 * allocations of publishing would fail.
 */
static int ids_publish_last(struct kunit *test, void *ctx)
{
	unsigned int left = drm_safe_fail_pause();
	struct ids_test *t = ctx;
	struct ids_queue *queue = ids_many_new(t);
	struct ids_queues queues = {};
	u32 id = 0;
	int ret;

	drm_dev_ctx_ids_init(&ids_many_type, &queues, t->file);
	for (int i = 1; i < IDS_MANY; i++)
		KUNIT_EXPECT_EQ(test, ids_publish_many(t, &queues), i);
	do {
		drm_dev_ctx_id_reserve_or(slot, &queues, ret, break);
		for (int i = 1; i < IDS_MANY; i++)
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&queues, i), 0);
		drm_safe_fail_resume(left);
		id = drm_dev_ctx_id_publish(slot, &queue);
		KUNIT_EXPECT_EQ_MSG(test, drm_safe_fail_pause(), left, "an allocation");
	} while (0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, id, IDS_MANY);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&queues, IDS_MANY), 0);
	drm_dev_ctx_ids_fini(&queues);
	drm_safe_fail_resume(left);
	return 0;
}

static void ids_publish_needs_no_memory(struct kunit *test)
{
	drm_safe_fail_nth(test, ids_publish_last, test->priv);
}

/* No id was given if there is no memory, and none is lost. */
static int ids_no_memory_once(struct kunit *test, void *ctx)
{
	struct ids_test *t = ctx;
	int id = ids_create(t, 1);
	unsigned int left = drm_safe_fail_pause();

	if (id > 0) {
		KUNIT_EXPECT_EQ(test, id, 1);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, id), 0);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 0);
	drm_safe_fail_resume(left);
	return min(id, 0);
}

static void ids_no_memory(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, drm_safe_fail_nth(test, ids_no_memory_once, test->priv), 2);
}

/* A zeroed table, or one that was ended, has no ids. */
static void ids_not_in_use(struct kunit *test)
{
	struct ids_test *t = test->priv;

	drm_dev_ctx_ids_fini(&t->queues);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, ids_create(t, 1), -EINVAL);
		EXPECT_BROKEN(test, "a table of ids is initialised before it is used");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 1)), -EINVAL);
		EXPECT_BROKEN(test, "a table of ids is initialised before it is used");
	}
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), -EINVAL);
		EXPECT_BROKEN(test, "a table of ids is initialised before it is used");
	}
	kunit_warning_suppress(test) {
		drm_dev_ctx_ids_for_each(queue, &t->queues)
			KUNIT_FAIL(test, "an object in no table");
		EXPECT_BROKEN(test, "a table of ids is initialised before it is used");
	}
}

static const struct ids_queue_type ids_unlimited_type = {
	.base.release = ids_queue_release,
};

static const struct ids_queue_type ids_unreleased_type = {
	.base.max = 1,
};

/* A description without a limit or without a release step is refused. */
static void ids_incomplete_type(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queues queues = {};
	int ret;

	kunit_warning_suppress(test) {
		drm_dev_ctx_ids_init(&ids_unlimited_type, &queues, t->file);
		EXPECT_BROKEN(test, "a type of objects with ids has a limit and a release step");
	}
	kunit_warning_suppress(test) {
		drm_dev_ctx_ids_init(&ids_unreleased_type, &queues, t->file);
		EXPECT_BROKEN(test, "a type of objects with ids has a limit and a release step");
	}
	kunit_warning_suppress(test) {
		ret = drm_dev_ctx_id_close(&queues, 1);
		EXPECT_BROKEN(test, "a table of ids is initialised before it is used");
	}
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	kunit_warning_suppress(test) {
		drm_dev_ctx_ids_init(&ids_queue_type, &t->queues, t->file);
		EXPECT_BROKEN(test, "a table of ids is initialised once");
	}
	/* It is as it was. */
	KUNIT_EXPECT_EQ(test, ids_create(t, 1), 1);
}

static void ids_refuses(struct kunit *test, struct ids_queue *queue)
{
	struct ids_test *t = test->priv;
	int ret;

	do {
		drm_dev_ctx_id_reserve_or(slot, &t->queues, ret, break);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_publish(slot, &queue), 0);
			EXPECT_BROKEN(test, "an object is initialised, and published once");
		}
		KUNIT_EXPECT_NULL(test, queue);
	} while (0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_dev_ctx_id_lookup(&t->queues, 2)), -ENOENT);
}

/* An object that is not initialised, or has an id, gets none. No reference is lost. */
static void ids_published_twice(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *raw = kzalloc_obj(*raw);
	struct ids_queue *queue;

	KUNIT_ASSERT_NOT_NULL(test, raw);
	raw->t = t;
	atomic_inc(&t->live);
	KUNIT_ASSERT_EQ(test, ids_create(t, 1), 1);
	queue = drm_dev_ctx_id_lookup(&t->queues, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, queue);
	ids_refuses(test, raw);
	/* Nothing else has it, so it is released. */
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
	ids_refuses(test, NULL);
	ids_refuses(test, ERR_PTR(-ENOMEM));
	ids_refuses(test, queue);
	/* That was a copy of the pointer: a put would have taken the reference of the lookup. */
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_close(&t->queues, 1), 0);
	KUNIT_ASSERT_EQ(test, atomic_read(&t->live), 1);
	KUNIT_EXPECT_EQ(test, queue->value, 1);
	drm_dev_ctx_id_put(&queue->obj);
}

/* An id is for one object. */
static void ids_slot_used_twice(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_queue *queue = ids_queue_new(t, 1), *other = ids_queue_new(t, 2);
	struct ids_queue *copy = queue;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_ASSERT_NOT_NULL(test, other);
	do {
		drm_dev_ctx_id_reserve_or(slot, &t->queues, ret, break);
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_publish(slot, &queue), 1);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_publish(slot, &other), 0);
			EXPECT_BROKEN(test, "an id is published with one object");
		}
		/* The table has the only reference. */
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, drm_dev_ctx_id_publish(slot, &copy), 0);
			EXPECT_BROKEN(test, "an object is initialised, and published once");
		}
	} while (0);
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* The other object was closed and released. */
	KUNIT_EXPECT_EQ(test, atomic_read(&t->closed), 1);
	KUNIT_EXPECT_EQ(test, t->closed_id, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->live), 1);
}

/* An id that is reserved while its file is closed is reported. */
static void ids_reserved_too_long(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct drm_dev_ctx_id_slot slot = {};

	KUNIT_ASSERT_EQ(test, __drm_dev_ctx_id_reserve(__drm_dev_ctx_ids(&t->queues), &slot), 0);
	kunit_warning_suppress(test) {
		drm_dev_ctx_ids_fini(&t->queues);
		EXPECT_BROKEN(test, "an id is reserved while its file is open");
	}
}

/* A table that no postclose ended is reported when the device is released. */
static void ids_table_left(struct kunit *test)
{
	struct ids_test *t = test->priv;

	if (!IS_ENABLED(CONFIG_DRM_SAFE_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_SAFE_DEBUG");
	kunit_info(test, "expected report begins");
	kunit_warning_suppress(test) {
		drm_safe_test_close(test, t->filp);
		drm_safe_test_unbind(test, t->parent);
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
		KUNIT_EXPECT_STREQ(test, drm_safe_test_broken(1), "handles go before their device");
		drm_safe_test_forget_broken();
	}
	kunit_info(test, "expected report ends");
	/* The device is gone, so ids_exit() must not end the table. */
	memset(&t->queues, 0, sizeof(t->queues));
}

#define IDS_RACES	2000

struct ids_racer {
	struct ids_test *t;
	atomic_t found;
};

/* A client's other thread, which guesses the id */
static int ids_race_thread(void *data)
{
	struct ids_racer *racer = data;
	struct ids_test *t = racer->t;

	while (!kthread_should_stop()) {
		struct ids_queue *queue = drm_dev_ctx_id_lookup(&t->queues, 1);

		if (!IS_ERR(queue)) {
			atomic_inc(&racer->found);
			if (queue->value != 42)
				atomic_inc(&t->wrong);
			drm_dev_ctx_id_put(&queue->obj);
			if (drm_dev_ctx_id_close(&t->queues, 1))
				atomic_inc(&t->wrong);
		}
		cond_resched();
	}
	return 0;
}

/* A thread that guesses the id finds no object that is freed, and closes each that it finds. */
static void ids_race(struct kunit *test)
{
	struct ids_test *t = test->priv;
	struct ids_racer racer = { .t = t };
	struct task_struct *task = kthread_run(ids_race_thread, &racer, "ids_race");
	int made = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* With one processor, the other thread runs when the time slice of this one ends. */
	while (made < IDS_RACES || !atomic_read(&racer.found)) {
		int ret = ids_create(t, 42);

		made += ret > 0;
		if (ret == -EBUSY)
			while (drm_dev_ctx_id_close(&t->queues, 4) &&
			       drm_dev_ctx_id_close(&t->queues, 3) &&
			       drm_dev_ctx_id_close(&t->queues, 2))
				cond_resched();
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->wrong), 0);
}

static struct kunit_case ids_cases[] = {
	KUNIT_CASE(ids_found),
	KUNIT_CASE(ids_reserved),
	KUNIT_CASE(ids_published),
	KUNIT_CASE(ids_bounded),
	KUNIT_CASE(ids_closed),
	KUNIT_CASE(ids_end_with_file),
	KUNIT_CASE(ids_never_published),
	KUNIT_CASE(ids_walked),
	KUNIT_CASE(ids_kept_in_walk),
	KUNIT_CASE(ids_publish_needs_no_memory),
	KUNIT_CASE(ids_no_memory),
	KUNIT_CASE(ids_not_in_use),
	KUNIT_CASE(ids_incomplete_type),
	KUNIT_CASE(ids_published_twice),
	KUNIT_CASE(ids_slot_used_twice),
	KUNIT_CASE(ids_reserved_too_long),
	KUNIT_CASE(ids_table_left),
	KUNIT_CASE_SLOW(ids_race),
	{}
};

static struct kunit_suite drm_dev_ctx_ids_suite = {
	.name = "drm_dev_ctx_ids",
	.init = ids_init,
	.exit = ids_exit,
	.test_cases = ids_cases,
};

kunit_test_suite(drm_dev_ctx_ids_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: objects with ids");
MODULE_LICENSE("Dual MIT/GPL");
