// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Functions that have their address stored, by stored_*(), and called, by called_*(), and
 * variables that are read and written, by used_*(). Without the kernel's headers, so that
 * any compiler takes it.
 */

struct stored {
	void (*function)(struct stored *s);
	void (*other)(struct stored *s);
};

void foo_work(struct stored *s);
void foo_other(struct stored *s);
void foo_listed(struct stored *s);

void stored_at_run_time(struct stored *s);
void stored_and_called_another(struct stored *s);
void called_directly(struct stored *s);
void called_at_the_end(struct stored *s);
void called_one_of_two(struct stored *s, int which);
void called_in_a_loop(struct stored *s, int n);
void called_after_it_was_stored(struct stored *s);

extern int foo_variable;
int used_in_a_register(void);
int used_in_a_sum(int n);
int used_in_memory(struct stored *s);
void used_and_written(void);
int *used_address(void);

extern const struct stored stored_in_data;
const struct stored stored_in_data = { .function = foo_work, .other = foo_other };

void stored_at_run_time(struct stored *s)
{
	s->function = foo_work;
}

void stored_and_called_another(struct stored *s)
{
	s->function = foo_work;
	foo_listed(s);
	s->other = foo_other;
	foo_listed(s);
}

void called_directly(struct stored *s)
{
	foo_work(s);
	s->other = 0;
}

void called_at_the_end(struct stored *s)
{
	foo_work(s);
}

void called_one_of_two(struct stored *s, int which)
{
	(which ? foo_work : foo_other)(s);
	s->other = 0;
}

void called_in_a_loop(struct stored *s, int n)
{
	while (n--)
		foo_other(s);
}

void called_after_it_was_stored(struct stored *s)
{
	s->function = foo_work;
	foo_work(s);
	s->other = 0;
}

int used_in_a_register(void)
{
	return foo_variable;
}

int used_in_a_sum(int n)
{
	return foo_variable + 7 * n;
}

int used_in_memory(struct stored *s)
{
	if (foo_variable == 41)
		foo_listed(s);
	return 0;
}

void used_and_written(void)
{
	foo_variable++;
}

int *used_address(void)
{
	return &foo_variable;
}
