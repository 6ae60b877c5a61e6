/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANDOVER_JSON_H
#define HANDOVER_JSON_H

#include <json-c/json.h>

#include "base/findings.h"
#include "core/lend.h"

/* Objects for --json; the caller owns them until it prints or adds them. */
struct json_object *json_findings(const struct findings *f);
void json_add_findings(struct json_object *list, const struct findings *f);
struct json_object *json_step(const struct step *s);

/* The host's own, HOST_VMID, becomes null. */
struct json_object *json_vmid(unsigned vmid);

/* NULL text becomes null. */
struct json_object *json_text(const char *s);
void json_add(struct json_object *o, const char *key, struct json_object *value);

/* Prints o on stdout and gives it back. */
void json_print(struct json_object *o);

#endif
