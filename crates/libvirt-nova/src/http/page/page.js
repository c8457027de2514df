new EventSource("-/live");
