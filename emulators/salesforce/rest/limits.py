"""List the limits of the org (docs/reference/salesforce.md#api-limits)."""

_UNUSED = {
    "ConcurrentAsyncGetReportInstances": 200, "ConcurrentSyncReportRuns": 20, "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000, "DailyBulkV2QueryFileStorageMB": 976_562, "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableGenericStreamingApiEvents": 200_000, "DailyDurableStreamingApiEvents": 200_000,
    "DailyGenericStreamingApiEvents": 10_000, "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 200_000, "DailyWorkflowEmails": 1_000, "DataStorageMB": 10_240,
    "DurableStreamingApiConcurrentClients": 1_000, "FileStorageMB": 10_240, "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200, "HourlyDashboardResults": 5_000, "HourlyDashboardStatuses": 999_999_999,
    "HourlyODataCallout": 20_000, "HourlyPublishedPlatformEvents": 250_000, "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000, "MassEmail": 5_000, "MonthlyPlatformEventsUsageEntitlement": 0,
    "PermissionSets": 1_500, "SingleEmail": 5_000, "StreamingApiConcurrentClients": 2_000,
}  # fmt: skip
"""What the emulator never uses up, as an Enterprise org has it."""


def remaining_limits(used: int, allowed: int) -> dict[str, dict[str, int]]:
    """Every limit with what remains of it; `used` counts the calls of the day."""
    limits = {name: {"Max": most, "Remaining": most} for name, most in _UNUSED.items()}
    limits["DailyApiRequests"] = {"Max": allowed, "Remaining": max(0, allowed - used)}
    return dict(sorted(limits.items()))
