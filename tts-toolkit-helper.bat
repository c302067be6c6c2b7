@echo off
rem tts-toolkit-helper.bat build|start|stop|logs: the four words for docker compose.
cd /d "%~dp0" || exit /b 1
if "%~1"=="build" docker compose build& goto end
if "%~1"=="start" docker compose up --detach --wait& goto end
if "%~1"=="stop" docker compose down& goto end
if "%~1"=="logs" docker compose logs --follow --tail 100& goto end
echo usage: %~n0 build^|start^|stop^|logs 1>&2
exit /b 2
:end
exit /b %errorlevel%
