/** The response to `GET /`, for people. */
export const routeList = `POST   /clickstream/segmentio/event   one Segment event, headers accessKey and Content-Type: application/json
POST   /standin/faults                add a fault, as JSON
GET    /standin/faults                the active faults
DELETE /standin/faults                end all faults; /standin/faults/<id> ends one
GET    /standin/stats                 calls by status and type, calls in each of the last ten seconds
GET    /standin/requests?last=20      the newest calls, at most 1000
GET    /standin/ledger                distinct message ids, duplicates, inversions; ?ids=true lists the ids, one a line
POST   /standin/reset                 forget calls and ledger, keep the faults

Faults: {"kind":"outage","mode":"503"|"refuse"|"hang"|"reset"}, {"kind":"latency","ms":200,"jitterMs":100},
{"kind":"status","status":429,"retryAfter":"30","body":"json"|"html"}, {"kind":"revoked-key"},
{"kind":"body-false","errorCode":"GSOBJ_1002"} (200 whose body says result: false), {"kind":"slow-body","ms":5000}, {"kind":"oversize-body","bytes":1000000}, {"kind":"redirect"}
Each takes durationMs, count, ratio (0 to 1) and match ({"userId","event","accountId","messageId","type"}); refuse takes durationMs only.
`;
