// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 56
// title: object with an id that is found too early, or used too late
// rust: partly
// wrong: ANOTHER_TYPE B: incompatible pointer
// wrong: OTHER_TABLE B: the table is for objects of another type
// wrong: OTHER_OBJECT B: the description is of another type of object
// wrong: OTHER_ID B: the id is for an object of another type
// wrong: NOT_FIRST B: the struct drm_dev_ctx_id_obj must be the first member of struct foo_queue
// wrong: NO_BASE B: foo_queue.obj must be a struct drm_dev_ctx_id_obj
// wrong: LONG_ID B: an id has 32 bits
// wrong: TWICE B: this token was used up before
// wrong: STAYS B: the last argument must leave the scope
// wrong: JUMPED B: jump into scope of identifier with variably modified type|cannot jump from this goto
// wrong: COPIED B: read-only|const-qualified
// wrong: NULL_TESTED C: drm_dev_ctx_id_lookup\(\) returns an ERR_PTR\(\) and never NULL
// wrong: LEAKED C: 'queue', from drm_dev_ctx_id_lookup\(\) on line \d+, is leaked
// wrong: USED_LATER C: 'queue' was used up on line \d+, on a path to here
// wrong: PUBLISHED_AGAIN C: 'queue' has an id: publishing it once more leaks a reference
// wrong: TABLE_AS_ID B: no member named .__only_reserved_ids_are_published
// run: drm_dev_ctx_ids.ids_reserved: A reserved id is neither found nor closed.
// run: drm_dev_ctx_ids.ids_race: A thread that guesses the id finds no object that is freed.
// run: drm_dev_ctx_ids.ids_closed: An object is closed once, and stays while it has references.
// run: drm_dev_ctx_ids.ids_never_published: The ``close`` step of an object without an id is called once, too.
// run: drm_dev_ctx_ids.ids_bounded: A full table gives -EBUSY.
// run: drm_dev_ctx_ids.ids_incomplete_type: A type without a limit or a release step is reported, and its table gives no ids.
// run: drm_dev_ctx_ids.ids_published_twice: The second call is reported and gives no id.
// run: drm_dev_ctx_ids.ids_kept_in_walk: The walk goes on, and the object that the block keeps stays.
// run: drm_dev_ctx_ids.ids_publish_needs_no_memory: Publishing allocates nothing.

#include <linux/slab.h>

#include "drm_dev_ctx_ids.h"
#include "foo.h"

struct foo_queues {
	DRM_DEV_CTX_IDS(struct foo_queue);
};

struct foo_heaps {
	DRM_DEV_CTX_IDS(struct foo_heap);
};

struct foo_client {
	struct foo_queues queues;
	struct foo_heaps heaps;
};

struct foo_queue {
#if defined(NOT_FIRST)
	u32 priority;
	struct drm_dev_ctx_id_obj obj;
#elif defined(NO_BASE)
	struct kref obj;
	u32 priority;
#else
	struct drm_dev_ctx_id_obj obj;
	u32 priority;
#endif
};

struct foo_heap {
	struct drm_dev_ctx_id_obj obj;
};

DRM_DEV_CTX_IDS_TYPE(foo_queue_type, struct foo_queue, obj);
DRM_DEV_CTX_IDS_TYPE(foo_heap_type, struct foo_heap, obj);

void foo_client_open(struct foo_client *client, struct drm_file *file)
{
	drm_dev_ctx_ids_init(&foo_queue_type, &client->queues, file);
#if defined(OTHER_TABLE)
	drm_dev_ctx_ids_init(&foo_queue_type, &client->heaps, file);
#else
	drm_dev_ctx_ids_init(&foo_heap_type, &client->heaps, file);
#endif
}

int foo_queue_create(struct foo_client *client, u32 priority, bool quick, u32 *id)
{
	struct foo_queue *queue;
	int ret;

#if defined(JUMPED)
	if (quick)
		goto publish;
#endif
#if defined(STAYS)
	drm_dev_ctx_id_reserve_or(slot, &client->queues, ret, *id = 0);
#elif defined(OTHER_ID)
	drm_dev_ctx_id_reserve_or(slot, &client->heaps, ret, return ret);
#else
	drm_dev_ctx_id_reserve_or(slot, &client->queues, ret, return ret);
#endif
	queue = kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
	if (!queue)
		return -ENOMEM;
#if defined(OTHER_OBJECT)
	drm_dev_ctx_id_init(&foo_heap_type, queue);
#else
	drm_dev_ctx_id_init(&foo_queue_type, queue);
#endif
	queue->priority = priority;
#if defined(JUMPED)
publish:
#endif
	*id = drm_dev_ctx_id_publish(slot, &queue);
#if defined(TWICE)
	*id = drm_dev_ctx_id_publish(slot, &queue);
#elif defined(USED_LATER)
	if (quick)
		queue->priority++;
#endif
	return ret;
}

u32 foo_queue_priority(struct foo_client *client, u32 id)
{
#if defined(ANOTHER_TYPE)
	struct foo_heap *queue __free(drm_dev_ctx_id) =
		drm_dev_ctx_id_lookup(&client->queues, id);

	return IS_ERR(queue) ? 0 : 1;
#else
	struct foo_queue *queue __free(drm_dev_ctx_id) =
		drm_dev_ctx_id_lookup(&client->queues, id);

#if defined(NULL_TESTED)
	if (!queue)
		return 0;
#else
	if (IS_ERR(queue))
		return 0;
#endif
	return queue->priority;
#endif
}

int foo_queue_raise(struct foo_client *client, u32 id, u32 most)
{
	struct foo_queue *queue = drm_dev_ctx_id_lookup(&client->queues, id);
	int ret = 0;

	if (IS_ERR(queue))
		return PTR_ERR(queue);
#if defined(LEAKED)
	if (queue->priority >= most)
		return -EINVAL;
#else
	if (queue->priority >= most)
		ret = -EINVAL;
#endif
	if (!ret)
		queue->priority++;
	drm_dev_ctx_id_put(&queue->obj);
	return ret;
}

int foo_queue_destroy(struct foo_client *client, u64 handle)
{
#if defined(LONG_ID)
	return drm_dev_ctx_id_close(&client->queues, handle);
#else
	if (handle > U32_MAX)
		return -ENOENT;
	return drm_dev_ctx_id_close(&client->queues, (u32)handle);
#endif
}

int foo_queue_rename(struct foo_client *client, u32 id)
{
	struct foo_queue *queue = drm_dev_ctx_id_lookup(&client->queues, id);
	int ret;

	if (IS_ERR(queue))
		return PTR_ERR(queue);
	drm_dev_ctx_id_put(&queue->obj);
	drm_dev_ctx_id_reserve_or(slot, &client->queues, ret, return ret);
#if defined(PUBLISHED_AGAIN)
	return drm_dev_ctx_id_publish(slot, &queue);
#elif defined(TABLE_AS_ID)
	return drm_dev_ctx_id_reserved(&client->queues);
#else
	return drm_dev_ctx_id_reserved(slot);
#endif
}

void foo_client_move(struct foo_client *to, struct foo_client *from)
{
#if defined(COPIED)
	to->queues = from->queues;
#endif
}
