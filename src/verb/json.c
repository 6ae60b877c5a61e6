/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "verb/json.h"

struct json_object *json_text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

void json_add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

void json_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void json_add_findings(struct json_object *list, const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->list[i];
		struct json_object *o = json_object_new_object();

		json_add(o, "severity", json_text(severity_name(x->severity)));
		json_add(o, "code", json_text(x->code));
		json_add(o, "file", json_text(x->place.file));
		json_add(o, "line", json_object_new_int((int)x->place.line));
		json_add(o, "column", json_object_new_int((int)x->place.column));
		json_add(o, "what", json_text(x->what));
		json_add(o, "remedy", json_text(x->remedy));
		json_object_array_add(list, o);
	}
}

struct json_object *json_findings(const struct findings *f)
{
	struct json_object *list = json_object_new_array();

	json_add_findings(list, f);
	return list;
}

/* A value that may be anything is not there at all; one that is absent on the host is null; the others say what they are. */
static void add_value(struct json_object *o, const char *key, const struct value *v)
{
	struct json_object *kind;

	if (v->kind == VALUE_ANY)
		return;
	if (v->kind == VALUE_TEXT) {
		json_add(o, key, json_text(v->text));
		return;
	}
	kind = json_object_new_object();
	if (v->kind == VALUE_HOPED)
		json_add(kind, "hoped", json_text(v->text));
	else
		json_add(kind, "is", json_text(value_shown(v)));
	json_add(o, key, kind);
}

static struct json_object *writes(const struct step *s, const struct looks *from, const struct looks *to)
{
	struct json_object *list = json_object_new_array();
	static struct poke w[STEP_WRITES_MAX];
	size_t n = step_writes(s, from, to, w);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_add(o, "what", json_text(w[i].what));
		json_add(o, "at", json_text(w[i].at));
		json_add(o, "put", json_text(w[i].put));
		json_add(o, "perhaps", json_object_new_boolean(w[i].perhaps));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *json_vmid(unsigned vmid)
{
	return vmid == HOST_VMID ? NULL : json_object_new_int((int)vmid);
}

struct json_object *json_step(const struct step *s)
{
	struct json_object *o = json_object_new_object(), *looks = json_object_new_array();

	json_add(o, "action", json_text(s->action->name));
	json_add(o, "device", json_text(s->device));
	json_add(o, "id", json_text(s->id));
	json_add(o, "phase", json_text(phase_name(s->phase)));
	json_add(o, "why", json_text(s->why));
	for (size_t i = 0; i < s->n_looks; i++) {
		struct json_object *look = json_object_new_object();

		json_add(look, "name", json_text(s->look[i]));
		add_value(look, "from", &s->from.v[i]);
		add_value(look, "to", &s->to.v[i]);
		add_value(look, "home", &s->home.v[i]);
		json_object_array_add(looks, look);
	}
	json_add(o, "looks", looks);
	json_add(o, "writes", writes(s, &s->from, &s->to));
	json_add(o, "writes_back", writes(s, &s->to, &s->home));
	return o;
}
