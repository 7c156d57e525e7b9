namespace Ldvc.App.Doctor;

/// <summary>One line of the doctor's report.</summary>
/// <param name="Subject">What was looked at.</param>
/// <param name="State">Whether it can be used.</param>
/// <param name="Text">What was found, or why it cannot be used.</param>
internal sealed record Finding(string Subject, FindingState State, string Text);

/// <summary>How a finding is meant.</summary>
internal enum FindingState
{
    /// <summary>A fact.</summary>
    Info,

    /// <summary>Works.</summary>
    Ok,

    /// <summary>Not there, and not needed.</summary>
    Absent,

    /// <summary>Needed and not working.</summary>
    Broken,
}
