"""The dashboard's server: a process of its own, which shows a round to a room and lets nobody but the instructor act.

    workshop.json, the round's folder ── `broadcaster` ──> `stream` (one sequence of events) ──> browsers
    browsers ── `api` (predictions, commands) ──> predictions.ndjson, the harness

What is sent on `GET /events`:

    retry: 1000
    event: workshop                    a `Workshop` as it is now; without an id, see below
    id: 17, event: picture             everything up to event 17
    id: 18, event: frame               and so on: every event has the id after the last one's
    : here                             after 10 s of silence
    event: over                        the server ends; without an id

Who comes (or comes back and cannot be given all that was missed) gets `workshop` and `picture`. Only the second one has
an id, that of the newest event: whoever is cut off between the two gets both again. With `Last-Event-ID: 17` the next
thing sent is event 18, as long as it is kept. Who may not see results yet gets the same ids: `covered` with
`{"at_ms": …}` in place of `picture` and `frame`; and `workshop` without `broken` and `guests`. On committing a
prediction a subscriber is sent `workshop` and `picture` at once.

`GET /api/frames` is `[{"id": 18, "frame": {…}}, …]`: applied to nothing in that order, they are the picture of the last
id. In a round longer than the dashboard remembers, the first one comes to all frames before it.
"""
