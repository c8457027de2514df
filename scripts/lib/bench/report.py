def printed(run):
    return ""
