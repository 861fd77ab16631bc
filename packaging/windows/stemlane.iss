; SPDX-License-Identifier: MIT
; The installer for Windows, for Inno Setup 6:
;   iscc /Odist /DVersion=0.1.0 /DBundle=C:\path\to\Stemlane.vst3 packaging\windows\stemlane.iss
; Bundle is what `stemlane plugin bundle --python … --packages …` makes and tools/dist/licences.py adds to; release.yml has
; the steps. Not compiled on a machine of the project's own yet.

#ifndef Version
  #error Name the version: iscc /DVersion=0.1.0
#endif
#ifndef Bundle
  #error Name the bundle: iscc /DBundle=C:\path\to\Stemlane.vst3
#endif

[Setup]
; Never changes: by it, Windows knows an older version for one.
AppId={{5B0D6C57-6E0F-4B6C-9A43-6F5C2C1F7B1E}
AppName=Stemlane
AppVersion={#Version}
AppPublisher=Stemlane
AppComments=A stem separator for every DAW
DefaultDirName={commoncf64}\VST3\Stemlane.vst3
DisableDirPage=yes
DisableProgramGroupPage=yes
; Common Files is for all users of a computer.
PrivilegesRequired=admin
ArchitecturesAllowed=x64
ArchitecturesInstallIn64BitMode=x64
MinVersion=10.0
LicenseFile={#Bundle}\Contents\Resources\licences\README.md
OutputBaseFilename=stemlane-{#Version}-windows-x86_64
Compression=lzma2/max
SolidCompression=yes
; A DAW that has the plugin loaded holds its files: the user is asked to close it.
CloseApplications=yes
RestartApplications=no
UninstallDisplayName=Stemlane
UninstallFilesDir={autopf}\Stemlane

[InstallDelete]
; Nothing of an older version's Python may stay: it would be found.
Type: filesandordirs; Name: "{app}\Contents"

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion

[Icons]
Name: "{autoprograms}\Stemlane"; Filename: "{app}\Contents\x86_64-win\Stemlane.exe"

[UninstallDelete]
; Python's caches. Added models, in the user's own folder, stay.
Type: filesandordirs; Name: "{app}"
