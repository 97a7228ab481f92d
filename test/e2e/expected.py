"""What the samples must look like through the API, written out by hand.

`id`, `created_at` and `updated_at` depend on the run: tests take them out and look at
them apart.
"""

NO_CALL_DATA = {
    "rang_at": None, "talk_time": None, "recording_url": None, "recordings": [],
    "voicemail": None, "transcription": None, "recap": None, "mos_score": None,
    "csat_score": None, "labels": [], "is_transferred": False, "master_call_id": None,
    "entry_point_call_id": None, "operator_call_id": None, "group_id": None,
    "ended_reason": None,
}

CALLS = {
    "call_connected_seed": NO_CALL_DATA | {
        "call_id": 5963972419002368, "direction": "outbound",
        "from": "+13345550166", "to": "+13345550111",
        # A snapshot that already knows its end: over only once Dialpad says hangup.
        "status": "connected", "state": "connected",
        "started_at": "2026-02-04T22:11:49.824Z",
        "connected_at": "2026-02-04T22:11:53.900Z",
        "ended_at": "2026-02-04T22:11:58.807Z",
        "duration": 5000, "talk_time": 5000, "total_duration": 8983,
        "target": {"id": 5600409256689664, "type": "call_center", "name": None,
                   "email": None, "phone": None, "office_id": None},
        "contact": None, "was_recorded": True, "mos_score": 4.41,
    },
    "call_hangup_outbound_2023": NO_CALL_DATA | {
        "call_id": 4611118400000000, "direction": "outbound",
        "from": "+13215550153", "to": "+16195550105",
        "status": "completed", "state": "hangup",
        "started_at": "2023-04-21T13:35:07.944Z",
        "connected_at": "2023-04-21T13:35:16.010Z",
        "ended_at": "2023-04-21T13:35:28.000Z",
        # No talk_time was sent: from answer to end. The total is Dialpad's, rounded.
        "duration": 11990, "total_duration": 20056,
        "target": {"id": 6651360000000000, "type": "user", "name": "Example Agent",
                   "email": "agent@example.com", "phone": "+13215550153",
                   "office_id": None},
        "contact": {"id": "5600392044183552", "name": "(619) 555-0105",
                    "phone": "+16195550105", "email": None, "type": "local"},
        "was_recorded": False, "mos_score": 4.41,
    },
    "call_ringing_inbound_2024": NO_CALL_DATA | {
        "call_id": 5314479320940544, "direction": "inbound",
        "from": "+15105550100", "to": "+15105550150",
        "status": "ringing", "state": "ringing",
        "started_at": "2024-11-14T17:39:14.898Z", "rang_at": "2024-11-14T17:39:15.282Z",
        "connected_at": None, "ended_at": None,
        "duration": None, "total_duration": None,
        "target": {"id": 5991398486736896, "type": "user", "name": "Example Agent",
                   "email": "agent@example.com", "phone": "+15105550150",
                   "office_id": 5527348325810176},
        "contact": {"id": "6480210643730432", "name": "Example Caller",
                    "phone": "+15105550100", "email": None, "type": "local"},
        "was_recorded": False,
    },
}

MESSAGES = {
    "sms_inbound_2024": {
        "message_id": 6095823680520192, "direction": "inbound",
        "from": "+15105550102", "to": "+15105550160", "to_numbers": ["+15105550160"],
        "text": "This is a test SMS - please ignore.", "status": "pending",
        "delivery_result": None, "is_mms": False, "media_url": None,
        "is_internal": False,
        "target": {"id": 5527348325810176, "type": "office", "name": "Example Office",
                   "email": None, "phone": "(510) 555-0160", "office_id": None},
        "contact": {"id": "5914569395306496", "name": "Example Caller",
                    "phone": "+15105550102", "email": None, "type": None},
        "sent_at": "2024-11-15T01:04:29.183Z",
    },
    "sms_inbound_2026_minimal": {
        "message_id": 12345, "direction": "inbound",
        "from": "+14155550106", "to": "+14155550161", "to_numbers": ["+14155550161"],
        "text": "Test message", "status": "pending",
        "delivery_result": None, "is_mms": False, "media_url": None,
        "is_internal": False, "target": None,
        "contact": {"id": "123", "name": "Example Contact", "phone": None,
                    "email": None, "type": None},
        "sent_at": "2026-01-27T21:46:35.216Z",
    },
}
