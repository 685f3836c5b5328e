/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_framing.h"

#include "http/field_name.h"

/* ---- Connection (RFC 9110 section 7.6.1) -------------------------------------------------------- */

/* more of them would make one message search for names that are not there, at the searcher's cost */
enum { OPTIONS_MAX = 100 };

struct connection {
    bool close, keep_alive, upgrade;
    uint32_t n_options;
};

static void nominate(struct um_head *h, struct um_str name)
{
    enum um_field_id id = um_field_id_of(name);
    if (um_field_ids_end_to_end >> id & 1 || (id != UM_FIELD_OTHER && !h->first_of[id]))
        return;
    for (uint32_t i = 0; i < h->n_fields; i++) {
        struct um_field *f = &h->fields[i];
        if (f->id == id && (id != UM_FIELD_OTHER || um_str_ieq(um_field_name(f), name)))
            f->is_nominated = 1;
    }
}

static void connection_option(struct um_head *h, struct connection *c, struct um_str option)
{
    if (um_str_ieq(option, UM_STR("keep-alive")))
        c->keep_alive = true;
    else if (um_str_ieq(option, UM_STR("close")))
        c->close = true;
    else if (um_str_ieq(option, UM_STR("upgrade")))
        c->upgrade = true;
    else if (option.n)
        nominate(h, option);
}

static int connection_options(struct um_h1_scan *s, struct um_head *h, struct connection *c)
{
    for (uint32_t i = h->first_of[UM_FIELD_CONNECTION]; i && i <= h->n_fields; i++) {
        const struct um_field *f = &h->fields[i - 1];
        struct um_str rest = um_field_value(f), option;
        while (f->id == UM_FIELD_CONNECTION && um_str_split(&rest, ',', &option)) {
            if (c->n_options++ == OPTIONS_MAX)
                return um_h1_refuse(s, UM_H1_TOO_MANY_FIELDS);
            connection_option(h, c, option);
        }
    }
    return 0;
}

/* RFC 9112 section 9.3 */
static int connection(struct um_h1_scan *s, struct um_head *h)
{
    struct connection c = {0};
    int rc = connection_options(s, h, &c);
    h->keep_alive = !c.close && (h->version == UM_HTTP_11 || c.keep_alive);
    h->has_upgrade = c.upgrade && h->first_of[UM_FIELD_UPGRADE] && h->version == UM_HTTP_11;
    return rc;
}

/* ---- length (RFC 9112 section 6) ---------------------------------------------------------------- */

/* White space behind a value is allowed, but readers differ about tabs, and a coding or a length that only some
 * understand is how requests are smuggled. */
static bool has_tab_behind(const struct um_field *f)
{
    const char *p = f->value + f->value_n;
    while (*p == ' ')
        p++;
    return *p == '\t';
}

static int declared_coding(struct um_h1_scan *s, const struct um_head *h, const struct um_field *coding,
                           bool is_repeated)
{
    if (h->version == UM_HTTP_10)
        return um_h1_refuse(s, UM_H1_CHUNKED_IN_HTTP_10);
    if (is_repeated || has_tab_behind(coding) || !um_str_ieq(um_field_value(coding), UM_STR("chunked")))
        return um_h1_refuse(s, UM_H1_BAD_TRANSFER_ENCODING);
    return 0;
}

static int declared_length(struct um_h1_scan *s, struct um_head *h, const struct um_field *length, bool is_repeated)
{
    if (is_repeated)
        return um_h1_refuse(s, UM_H1_DUPLICATE_CONTENT_LENGTH);
    if (has_tab_behind(length) || um_str_to_u64(um_field_value(length), INT64_MAX, &h->content_length))
        return um_h1_refuse(s, UM_H1_BAD_CONTENT_LENGTH);
    return 0;
}

/* what the fields say, whether or not the message may have a body: the framing is NONE if they say nothing */
static int declared_framing(struct um_h1_scan *s, struct um_head *h, uint64_t repeated)
{
    const struct um_field *coding = um_head_known(h, UM_FIELD_TRANSFER_ENCODING);
    const struct um_field *length = um_head_known(h, UM_FIELD_CONTENT_LENGTH);
    if (coding && length)
        return um_h1_refuse(s, UM_H1_LENGTH_AND_CHUNKED);
    h->framing = coding ? UM_FRAMING_CHUNKED : length ? UM_FRAMING_LENGTH : UM_FRAMING_NONE;
    if (coding)
        return declared_coding(s, h, coding, repeated >> UM_FIELD_TRANSFER_ENCODING & 1);
    return length ? declared_length(s, h, length, repeated >> UM_FIELD_CONTENT_LENGTH & 1) : 0;
}

static bool has_body(const struct um_head *h)
{
    return h->framing == UM_FRAMING_CHUNKED || (h->framing == UM_FRAMING_LENGTH && h->content_length);
}

/* HTTP/2 over cleartext is not offered, and RFC 9113 section 3.1 made its Upgrade a thing to ignore; curl and Java send
 * it together with bodies. */
static bool is_h2c(const struct um_head *h)
{
    return um_str_ieq(um_field_value(um_head_known(h, UM_FIELD_UPGRADE)), UM_STR("h2c"));
}

int um_h1_frame_request(struct um_h1_scan *s, struct um_head *h, uint64_t repeated)
{
    int rc = declared_framing(s, h, repeated);
    if (rc == 0)
        rc = connection(s, h);
    if (rc)
        return rc;
    if (h->has_upgrade && is_h2c(h))
        h->has_upgrade = false;
    if ((h->has_upgrade || h->method == UM_METHOD_CONNECT) && has_body(h))
        return um_h1_refuse(s, UM_H1_BAD_UPGRADE);
    const struct um_field *expect = um_head_known(h, UM_FIELD_EXPECT);
    h->expects_100 = expect && h->version == UM_HTTP_11 && um_str_ieq(um_field_value(expect), UM_STR("100-continue"));
    return 0;
}

/* RFC 9112 section 6.3: these have no body whatever their fields say */
static bool is_bodiless(const struct um_head *h, enum um_method request_method)
{
    return h->status < 200 || h->status == 204 || h->status == 304 || request_method == UM_METHOD_HEAD;
}

static bool is_tunnel(const struct um_head *h, enum um_method request_method)
{
    return h->status == 101 || (request_method == UM_METHOD_CONNECT && h->status / 100 == 2);
}

int um_h1_frame_response(struct um_h1_scan *s, struct um_head *h, uint64_t repeated, enum um_method request_method)
{
    int rc = declared_framing(s, h, repeated);
    if (rc == 0)
        rc = connection(s, h);
    if (rc)
        return rc;
    if (is_tunnel(h, request_method))
        h->framing = UM_FRAMING_TUNNEL;
    else if (is_bodiless(h, request_method))
        h->framing = UM_FRAMING_NONE;
    else if (h->framing == UM_FRAMING_NONE)
        h->framing = UM_FRAMING_CLOSE;
    if (h->framing == UM_FRAMING_TUNNEL || h->framing == UM_FRAMING_CLOSE)
        h->keep_alive = false;
    return 0;
}
